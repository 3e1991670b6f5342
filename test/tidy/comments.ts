import type { Finding, SourceFile } from './source-files.ts';

/** Written apart, so that this file does not contain what it looks for. */
const notes = new RegExp(
  ['\\bstandards', '?(\\.md)? \\d|drachtio-', 'protocol|feasib', 'ility\\.md|perfor', 'mance\\.md'].join(''),
  'i',
);

/** Lines that cite a note which is not in the repository; a reason is an RFC's clause or stands by itself. */
export function absentNotes(file: SourceFile): Finding[] {
  return file.text
    .split('\n')
    .flatMap((line, at) => (notes.test(line) ? [`${file.path}:${at + 1}: cites a note that is not here`] : []));
}

const exported =
  /^export (?:(?:async )?function\*?|(?:abstract )?class|const(?= \w+ = (?:async )?(?:\(|<|function))) (\w+)/;

/** Exported functions and classes without a docstring right above them. */
export function undocumentedExports(file: SourceFile): Finding[] {
  const lines = file.text.split('\n');
  return lines.flatMap((line, at) => {
    const name = exported.exec(line)?.[1];
    const documented = lines[at - 1]?.trimEnd().endsWith('*/') === true;
    return name === undefined || documented ? [] : [`${file.path}:${at + 1}: ${name} has no docstring`];
  });
}
