// GraphiQL for the gateway that serves this page. Loads nothing from other origins.

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import { createRoot } from 'react-dom/client';

import './page.css';
import { firstQuery } from './first-query.js';

// Relative, so that the page works behind a proxy that serves it under another path.
const fetcher = createGraphiQLFetcher({ url: new URL('graphql', document.baseURI).href });

const page = (
  <GraphiQL fetcher={fetcher} defaultQuery={firstQuery} shouldPersistHeaders>
    <GraphiQL.Logo>Weir</GraphiQL.Logo>
  </GraphiQL>
);

createRoot(document.getElementById('page')).render(page);
