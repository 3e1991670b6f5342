import { expect, test } from 'vitest';
import { parseFileSelector } from '../../src/wire/file-selector.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';

test.each([
  ['name:"My cool picture.jpg" type:image/jpeg size:4092', 'My cool picture.jpg', 'image/jpeg', 4092],
  ['size:0 hash:sha-1:72:24:5F:E8:65:3D:DA:F3', null, null, 0],
  ['type:text/plain;charset="utf-8; x" name:"a%22b.txt"', 'a"b.txt', 'text/plain;charset="utf-8; x"', null],
  ['name:"Gr%C3%BC%C3%9Fe.txt"', 'Grüße.txt', null, null],
  ['name:"Grüße.txt"', 'Grüße.txt', null, null],
  ['', null, null, null],
])('RFC 5547 9.1: %s', (text, ...said) => {
  const { name, type, size } = parseFileSelector(text);
  expect([name, type, size]).toEqual(said);
});

test.each([
  ['name:"../../etc/passwd"', 'passwd'],
  [String.raw`name:"C:\Windows\calc.exe"`, 'calc.exe'],
  ['name:"a%2Fb%0Ac.txt"', 'bc.txt'],
])('a name leads to no folder and holds no line end: %s', (text, name) => {
  expect(parseFileSelector(text).name).toBe(name);
});

test.each([
  'name:picture.jpg',
  'size:-1',
  'size:1x',
  'type:image',
  'name:"open',
  'name:"50%"',
  'colour:red',
  'size:1,size:2',
])('what is malformed is refused: %s', (text) => {
  expect(() => parseFileSelector(text)).toThrow(RemoteError);
});
