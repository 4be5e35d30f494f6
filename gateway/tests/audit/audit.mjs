// `node audit.mjs URL`: runs the published audit of GraphQL over HTTP against the endpoint at URL.
// Prints a line for each audit, and fails if one is not `ok`: a MUST, a SHOULD or a MAY.

import { serverAudits } from 'graphql-http';

const audits = serverAudits({ url: process.argv[2], fetchFn: fetch });
let ok = 0;
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === 'ok') {
    ok += 1;
    console.log(`ok      ${result.id} ${result.name}`);
  } else {
    const { status, headers } = result.response;
    const answer = `${status} ${headers.get('content-type')}`;
    console.log(`${result.status.padEnd(7)} ${result.id} ${result.name}: ${result.reason} (${answer})`);
  }
}
console.log(`${ok} of ${audits.length} are ok`);
process.exitCode = ok === audits.length && ok > 0 ? 0 : 1;
