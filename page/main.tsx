/** The dashboard, as the browser starts it. */
import { render } from 'preact';
import { App } from './App.js';

const place = document.getElementById('page');
if (place) {
  place.replaceChildren();
  render(<App />, place);
}
