import { useEffect, useRef, useState } from 'preact/hooks';
import { reasonOf } from '../core/reason.js';
import { whyKeyIsRefused } from '../data/api.js';
import { type KeyQuestion, keyQuestion } from '../data/key.js';
import { useStore } from '../data/store.js';

/** Asks for the key when something needs it. */
export function KeyDialog() {
  const question = useStore(keyQuestion);
  return question ? <Asking question={question} /> : null;
}

function Asking({ question }: { question: KeyQuestion }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [key, setKey] = useState('');
  const [refusal, setRefusal] = useState(question.refusal);
  const [isChecking, setIsChecking] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const entered = key.trim();
    if (entered === '') return setRefusal('Enter the key first.');
    // A key that may only read is refused by a dry run, so only one for writing is tried before it is kept.
    if (question.for === 'reading') return question.answer(entered);
    setIsChecking(true);
    try {
      const why = await whyKeyIsRefused(entered);
      if (why === null) return question.answer(entered);
      setRefusal(why);
    } catch (error) {
      setRefusal(reasonOf(error));
    }
    setIsChecking(false);
  };
  const paste = async (): Promise<void> => {
    try {
      setKey(await navigator.clipboard.readText());
      setRefusal(null);
    } catch {
      setRefusal('This browser does not let the page read the clipboard: paste into the field.');
    }
  };

  return (
    <dialog
      ref={dialog}
      class="key-dialog"
      aria-labelledby="key-title"
      onCancel={() => question.answer(null)}
    >
      <form onSubmit={submit}>
        <h2 id="key-title">{question.for === 'writing' ? 'Key for writing' : 'Key for reading'}</h2>
        <p class="quiet">
          {question.for === 'writing'
            ? 'After npm start it is in .gridlens/api-key; else it is what GRIDLENS_API_KEY was set to.'
            : 'This deployment shows its figures to holders of GRIDLENS_READ_KEY or GRIDLENS_API_KEY.'}{' '}
          This tab keeps it until it is closed.
        </p>
        <label>
          API key
          <input
            type="password"
            autocomplete="off"
            value={key}
            aria-invalid={refusal !== null}
            aria-describedby="key-refusal"
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        <p id="key-refusal" class="refusal" role="alert">
          {refusal}
        </p>
        <div class="actions">
          {typeof navigator.clipboard?.readText === 'function' && (
            <button type="button" onClick={paste}>
              Paste from clipboard
            </button>
          )}
          <button type="button" onClick={() => question.answer(null)}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={isChecking}>
            {isChecking ? 'Checking…' : 'Use this key'}
          </button>
        </div>
      </form>
    </dialog>
  );
}
