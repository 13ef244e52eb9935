import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface PanelProps {
  title: string;
  /** Beside the title, quieter. */
  note?: ComponentChildren;
  actions?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

/** A titled part of a view. */
export function Panel({ title, note, actions, class: name = '', children }: PanelProps) {
  const id = useId();
  return (
    <section class={`panel ${name}`} aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{title}</h2>
        {note && <p class="quiet">{note}</p>}
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** Stands in the place of what is still to come, in its shape, so that nothing jumps. */
export function Loading({ what, height = 120 }: { what: string; height?: number }) {
  return (
    <div class="loading" style={{ height: `${height}px` }} role="status">
      <span class="visually-hidden">Loading {what}</span>
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** What could not be loaded, why, and a way to try again. */
export function Failed({ what, why, retry }: { what: string; why: string; retry: () => void }) {
  return (
    <div class="failed" role="alert">
      <p>
        <strong>Could not load {what}.</strong> {why}
      </p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}
