import { describe, expect, it } from 'vitest';
import { isDataPath, parseDataPath } from './data-path.js';

describe('data plane paths', () => {
  it.each([
    ['/v2/models/digits/infer', 'digits', '/v2/models/digits/infer'],
    ['/v2/models/digits', 'digits', '/v2/models/digits'],
    ['/v2/models/digits/ready?x=1', 'digits', '/v2/models/digits/ready?x=1'],
    ['/v2/models/digits/versions/3/infer', 'digits', '/v2/models/digits/versions/3/infer'],
    ['/v2/models/a:b/infer', 'a:b', '/v2/models/a:b/infer'],
    ['/v1/models/digits:predict', 'digits', '/v1/models/digits:predict'],
    ['/v1/models/digits?verbose', 'digits', '/v1/models/digits?verbose'],
    ['/v1/models/digits/metadata', 'digits', '/v1/models/digits/metadata'],
    ['/models/llm/v1/chat/completions?a=%20b', 'llm', '/v1/chat/completions?a=%20b'],
    ['/models/llm', 'llm', '/'],
    ['/models/llm?x=1', 'llm', '/?x=1'],
    ['/models/my%20model/a%2Fb', 'my model', '/a%2Fb'],
    ['/models/m/file..txt', 'm', '/file..txt'],
  ])('%s is for model %s, forwarded as %s', (url, model, target) => {
    expect(isDataPath(url)).toBe(true);
    expect(parseDataPath(url)).toEqual({ model, target });
  });

  it.each(['/v2/models//infer', '/v1/models/:predict', '/models/?x', '/models/%zz/a'])('%s names no model', (url) => {
    expect(parseDataPath(url)).toMatch(/name a model/);
  });

  it.each([
    '/models/m/../x',
    '/models/m/%2e%2E/x',
    '/models/../x',
    '/models/m/..',
    '/models/m/./x?y',
    '/models/m/..?y',
  ])('%s would climb out of the base URL and is refused', (url) => {
    expect(parseDataPath(url)).toMatch(/dot segments/);
  });

  it.each([
    '/v2',
    '/v2/health/ready',
    '/v2/models',
    '/health/live',
    '/metrics',
    '/',
    '/modelsx/a',
    'http://h/v2/models/a',
  ])('%s is answered by the router itself', (url) => {
    expect(isDataPath(url)).toBe(false);
  });
});
