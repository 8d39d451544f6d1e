import tseslint from 'typescript-eslint';

/** Rules that no plugin has, each with the reason a reader gets to see. */
const house = [
  {
    selector:
      'Program > VariableDeclaration[kind="let"], Program > ExportNamedDeclaration > VariableDeclaration[kind="let"]',
    message: 'No state in modules: pass it in, so that a test needs no stub and two pods never share it.',
  },
  {
    selector:
      'CallExpression[callee.object.name="vi"][callee.property.name=/^(mock|doMock|unmock|hoisted|stubGlobal)$/]',
    message: 'No mocked modules: pass a plain object, or use the real kernel.',
  },
];
const defaultExport = { selector: 'ExportDefaultDeclaration', message: 'Named exports only: one name for one thing.' };

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'native/', '.cache/', 'images/', 'test/conformance/recordings/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-restricted-syntax': ['error', ...house, defaultExport],
      eqeqeq: 'error',
      'max-lines': ['error', 300],
      'no-shadow': 'off', // the typed one knows types from values
      '@typescript-eslint/no-shadow': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // `'host' | string` documents the one word with a meaning.
      '@typescript-eslint/no-redundant-type-constituents': 'off',
      // An async function may keep a promise-shaped contract without awaiting anything itself.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // In tests a table's columns are parameters, and a describe block is one long function.
    files: ['src/**/*.ts', 'test/support/**/*.ts'],
    rules: { 'max-lines-per-function': ['error', 60], 'max-params': ['error', 4] },
  },
  { files: ['**/*.config.ts'], rules: { 'no-restricted-syntax': ['error', ...house] } },
);
