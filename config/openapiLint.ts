/** The rules that the API reference is held to: all that the linter recommends, each of them an error. */
export const OPENAPI_RULES = {
  extends: ['recommended-strict'],
  rules: {
    // The product is under no public license.
    'info-license': 'off',
    'info-license-strict': 'off',
  },
};
