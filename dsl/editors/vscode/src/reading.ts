// The little that commands read out of a text themselves: the models of a file, and codes of findings.

/** A model and where its definition begins. */
export interface Definition {
  readonly name: string;
  readonly start: number;
}

/** Return the models that a text defines, in order. */
export function modelsIn(text: string): Definition[] {
  const definitions = text.matchAll(/^[ \t]*model[ \t]+([A-Za-z_][A-Za-z0-9_]*)/gm);
  return [...definitions].map((match) => ({ name: match[1] ?? "", start: match.index }));
}

/** Return the model in whose definition a place lies, or the nearest one above it. */
export function modelAt(text: string, offset: number): string | undefined {
  return modelsIn(text).findLast((model) => model.start <= offset)?.name;
}

/** Return the code of a finding that is written at a place of a line. */
export function codeAt(line: string, character: number): string | undefined {
  const codes = line.matchAll(/\b[EW]\d{4}\b/g);
  return [...codes].find((match) => match.index <= character && character <= match.index + match[0].length)?.[0];
}
