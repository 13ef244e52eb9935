import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

type Component = (props: object) => unknown;
interface System {
  React: { createElement(type: string | Component, props: object | null, ...children: unknown[]): unknown };
}

/** There is one server, the one that serves this page: a choice of one needs no menu. */
const withoutServers = { wrapComponents: { ServersContainer: () => () => null } };

/** A path stands in the button that opens its operation, where no link may be; opened, it is in the address all the same. */
const withoutNestedLinks = { components: { DeepLink: ({ text }: { text: string }) => text } };

/** The menus of examples have no name of their own. */
const namedExamples = ({ React: { createElement } }: System) => ({
  wrapComponents: {
    ExamplesSelect: (Menu: Component) => (props: object) =>
      createElement(
        'label',
        null,
        createElement('span', { className: 'docs-unseen' }, 'Example'),
        createElement(Menu, props),
      ),
  },
});

SwaggerUI({
  url: '/openapi.json',
  dom_id: '#reference',
  validatorUrl: null,
  deepLinking: true,
  docExpansion: 'list',
  // Schemas are shown where they are used.
  defaultModelsExpandDepth: -1,
  defaultModelExpandDepth: 3,
  displayRequestDuration: true,
  plugins: [withoutServers, withoutNestedLinks, namedExamples],
});
