/** As much of the viewer as is used. */
declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  interface Options {
    url: string;
    dom_id: string;
    /** The viewer would have the document judged by a server on the internet. */
    validatorUrl: null;
    deepLinking: boolean;
    docExpansion: 'list';
    defaultModelsExpandDepth: number;
    defaultModelExpandDepth: number;
    displayRequestDuration: boolean;
    plugins: unknown[];
  }
  export default function SwaggerUI(options: Options): unknown;
}
