import tseslint from 'typescript-eslint';
import prettier from 'eslint-config-prettier';

const noParentImport = (reason, patterns) => ({
  'no-restricted-imports': ['error', { patterns: patterns.map((regex) => ({ regex, message: reason })) }],
});

/** domain/ is pure: its siblings and @app/shared's contracts, no I/O, no clock, no randomness of its own. */
const domainRules = (files, outside) => [
  {
    files: [files],
    ignores: ['**/*.spec.ts'],
    rules: {
      ...noParentImport('domain/ imports only its siblings and the contracts of @app/shared', [
        outside,
        '^@nestjs/',
        '^(kafkajs|ioredis|undici|pino|prom-client|fastify)$',
        '^node:(fs|net|http|https|timers|child_process|worker_threads)',
      ]),
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'time is an argument in domain/' },
        { object: 'Math', property: 'random', message: 'randomness is an argument in domain/' },
        { object: 'process', property: 'env', message: 'configuration is an argument in domain/' },
        { object: 'performance', property: 'now', message: 'time is an argument in domain/' },
      ],
    },
  },
];

/** The direction of dependencies: domain <- shell of one app -> shared. See docs/decisions/0001-dependency-direction.md. */
export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'apps/console/dist/**', '**/*.js', '**/*.mjs', '.cache/**'] },
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
    rules: noParentImport('shared never imports an app or a test', ['(^|/)apps/', '(^|/)test/']),
  },
  {
    files: ['apps/**/*.ts'],
    ignores: ['apps/standalone/**'],
    rules: noParentImport('apps never import each other', [
      '^(\\.\\./)+(router|evaluator|controller|standalone|cli|console)/',
      '(^|/)apps/',
    ]),
  },
  ...domainRules('apps/*/src/domain/*.ts', '^\\.\\./'),
  ...domainRules('apps/*/src/domain/*/*.ts', '^\\.\\./\\.\\./'),
  {
    files: ['**/*.spec.ts', '**/*.suite.ts', 'test/**/*.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off', 'max-lines': 'off' },
  },
  prettier,
);
