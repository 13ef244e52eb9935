/** Light or dark: as the system says, until the reader says otherwise for this browser. */
import { createStore } from './store.js';

export type Theme = 'light' | 'dark';
const PLACE = 'gridlens-theme';
const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');

const chosen = (): Theme | null => {
  const stored = localStorage.getItem(PLACE);
  return stored === 'light' || stored === 'dark' ? stored : null;
};
const current = (): Theme => chosen() ?? (prefersDark.matches ? 'dark' : 'light');

export const theme = createStore<Theme>(current());

function apply(): void {
  document.documentElement.dataset.theme = current();
  theme.set(current());
}
prefersDark.addEventListener('change', apply);
apply();

export function switchTheme(): void {
  localStorage.setItem(PLACE, theme.get() === 'dark' ? 'light' : 'dark');
  apply();
}

/** A colour of the style sheet, for canvases: `colour('ink')` is `--ink`. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
