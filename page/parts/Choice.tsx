interface ChoiceProps<T extends string | number> {
  name: string;
  value: T;
  options: readonly T[];
  words: (option: T) => string;
  onChoose: (option: T) => void;
}

/** One of some values; one that was set elsewhere is offered as well. */
export function Choice<T extends string | number>({ name, value, options, words, onChoose }: ChoiceProps<T>) {
  const offered = options.includes(value) ? options : [value, ...options];
  return (
    <label>
      {name}
      <select
        value={String(value)}
        onChange={(event) => {
          const chosen = offered[event.currentTarget.selectedIndex];
          if (chosen !== undefined) onChoose(chosen);
        }}
      >
        {offered.map((option) => (
          <option key={option} value={String(option)}>
            {words(option)}
          </option>
        ))}
      </select>
    </label>
  );
}
