import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { TokenList } from './token-list.js';

const SECRET = 'correct-horse-battery';
const sha256 = createHash('sha256').update('wrong-horse-battery').digest('hex');

describe('the list of tokens', () => {
  test.each([
    ['YAML', `- { name: ci, role: operate, token: ${SECRET} }\n- { name: eve, role: read, sha256: ${sha256} }`],
    [
      'JSON',
      JSON.stringify([
        { name: 'ci', role: 'operate', token: SECRET },
        { name: 'eve', role: 'read', sha256: sha256.toUpperCase() },
      ]),
    ],
  ])('is %s, tokens in clear or as a digest', (_, text) => {
    const tokens = new TokenList(text, { token: 'the-one-of-old-times', name: 'operator' });
    expect(tokens.find(SECRET)).toEqual({ name: 'ci', role: 'operate', by: 'token' });
    expect(tokens.find('wrong-horse-battery')).toEqual({ name: 'eve', role: 'read', by: 'token' });
    expect(tokens.find('the-one-of-old-times')).toEqual({ name: 'operator', role: 'admin', by: 'token' });
    for (const other of ['', sha256, `${SECRET} `, SECRET.slice(1)]) expect(tokens.find(other)).toBeNull();
  });

  test.each([
    ['what does not parse', `- { name: ${SECRET}`, 'neither YAML nor JSON'],
    ['no list', `name: ci`, 'write a list'],
    ['an unknown role', `- { name: ci, role: root, token: ${SECRET} }`, 'entry 1 is not'],
    ['a short token', `- { name: ci, role: read, token: short }`, 'entry 1'],
    ['token and digest at once', `- { name: ci, role: read, token: ${SECRET}, sha256: ${sha256} }`, 'entry 1'],
    [
      'one name twice',
      `- { name: ci, role: read, token: ${SECRET} }\n- { name: ci, role: read, sha256: ${sha256} }`,
      'twice',
    ],
    ['an empty list', `[]`, 'write'],
  ])('refuses %s without telling a secret', (_, text, why) => {
    const make = () => new TokenList(text);
    expect(make).toThrow(why);
    expect(make).not.toThrow(SECRET);
    expect(make).toThrow(expect.objectContaining({ code: 'bad-configuration' }) as Error);
  });
});
