import { SingleBar } from 'cli-progress';

/** Shows how far a long work is. */
export interface ProgressDisplay {
  /** @param percent of the work that is done; @param text how far it is, in words. */
  show(percent: number, text: string): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

/** A log is read later: a line every so often, and only when there is news. */
const LINE_EVERY_MS = 5_000;

/** A bar on a terminal, plain lines elsewhere. */
export function openProgress(stream: NodeJS.WriteStream, now = () => performance.now()): ProgressDisplay {
  return stream.isTTY ? progressBar(stream) : progressLines(stream, now);
}

function progressBar(stream: NodeJS.WriteStream): ProgressDisplay {
  const bar = new SingleBar({
    stream,
    format: '[{bar}] {share} %  {text}',
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    barsize: 24,
    hideCursor: true,
    // Whoever handles the signal closes the display.
    gracefulExit: false,
  });
  bar.start(100, 0, { share: '0.0', text: '' });
  return {
    show(percent, text) {
      bar.update(percent, { share: percent.toFixed(1), text });
    },
    close() {
      bar.stop();
    },
  };
}

function progressLines(stream: NodeJS.WritableStream, now: () => number): ProgressDisplay {
  let shown = '';
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    show(percent, text) {
      const line = `${percent.toFixed(1)} %  ${text}\n`;
      if (line === shown || now() - shownAt < LINE_EVERY_MS) return;
      stream.write(line);
      shown = line;
      shownAt = now();
    },
    close: () => undefined,
  };
}
