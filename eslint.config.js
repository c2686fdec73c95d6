import tseslint from 'typescript-eslint';
import prettier from 'eslint-config-prettier';

/** Regexes of what may not be imported, with the reason; `import()` at run time is refused altogether where this holds. */
const noImport = (reason, patterns) => noImports([[reason, patterns]]);
const noImports = (rules) => ({
  'no-restricted-imports': [
    'error',
    { patterns: rules.flatMap(([message, patterns]) => patterns.map((regex) => ({ regex, message }))) },
  ],
});
const NO_DYNAMIC_IMPORT = {
  selector: 'ImportExpression',
  message: 'import statically, so that lint sees the direction',
};

/**
 * domain/ is pure: its siblings, @app/shared's contracts and what only computes; no I/O, no clock, no randomness of its
 * own. `within`: the beginnings of relative imports that stay in domain/.
 */
const domainRules = (files, within) => ({
  files: [files],
  ignores: ['**/*.spec.ts'],
  rules: {
    ...noImport('domain/ imports only its siblings, the contracts of @app/shared and what only computes', [
      `^(?!(${within.join('|')})(?!\\.\\.)|@app/(shared|api|words)$|@app/shared/core$|node:(crypto|util)$|@sinclair/typebox$|xxhash-wasm$)`,
    ]),
    'no-restricted-syntax': [
      'error',
      NO_DYNAMIC_IMPORT,
      { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'time is an argument in domain/' },
      {
        selector: 'ImportSpecifier[imported.name=/^(randomBytes|randomInt|randomUUID|getRandomValues|webcrypto)$/]',
        message: 'randomness is an argument in domain/',
      },
    ],
    'no-restricted-globals': [
      'error',
      ...['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'crypto', 'console'].map((name) => ({
        name,
        message: 'domain/ has no clock, no randomness and no I/O of its own',
      })),
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: 'time is an argument in domain/' },
      { object: 'Math', property: 'random', message: 'randomness is an argument in domain/' },
      { object: 'process', property: 'env', message: 'configuration is an argument in domain/' },
      { object: 'performance', property: 'now', message: 'time is an argument in domain/' },
    ],
  },
});

const OTHER_APPS = ['^(\\.\\./)+(router|evaluator|controller|standalone|cli|console)/', '(^|/)apps/'];

/** The direction of dependencies: domain <- shell of one app -> shared. See docs/decisions/0001-dependency-direction.md. */
export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      'apps/console/dist/**',
      '**/*.js',
      '**/*.mjs',
      '.cache/**',
      'libs/shared/src/api/controller-api.ts',
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'max-lines': ['warn', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['libs/shared/**/*.ts'],
    rules: {
      ...noImport('shared never imports an app, a test or deploy', ['(^|/)(apps|test|deploy)/']),
      'no-restricted-syntax': ['error', NO_DYNAMIC_IMPORT],
    },
  },
  {
    files: ['apps/**/*.{ts,tsx}'],
    ignores: ['apps/standalone/**'],
    rules: {
      ...noImport('apps never import each other', OTHER_APPS),
      'no-restricted-syntax': ['error', NO_DYNAMIC_IMPORT],
    },
  },
  {
    files: ['apps/**/*.{ts,tsx}'],
    ignores: ['apps/standalone/**', 'apps/*/src/testing/**', 'apps/*/test/**', '**/*.spec.ts', '**/*.suite.ts'],
    rules: noImport('apps import neither each other nor what is for tests', [
      ...OTHER_APPS,
      '(^|/)(test|testing|deploy)/',
    ]),
  },
  {
    files: ['apps/router/src/**/*.ts'],
    ignores: ['apps/router/src/testing/**', '**/*.spec.ts'],
    rules: noImports([
      ['apps import neither each other nor what is for tests', [...OTHER_APPS, '(^|/)(test|testing|deploy)/']],
      ['the router loads no more than it uses: import @app/shared/core', ['^@app/shared$']],
    ]),
  },
  domainRules('apps/*/src/domain/*.ts', ['\\./']),
  domainRules('apps/*/src/domain/*/*.ts', ['\\./', '\\.\\./']),
  domainRules('apps/*/src/domain/*/*/**/*.ts', ['\\./', '(\\.\\./){1,2}']),
  {
    files: ['**/*.spec.ts', '**/*.suite.ts', 'test/**/*.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off', 'max-lines': 'off' },
  },
  prettier,
);
