// Runs the OpenID provider on a free port of loopback: `node provider.mjs '{"redirectUris": ["http://…"]}'`.
// Prints one line of JSON with its issuer when it answers. Anybody may log in with any password; consent is asked for.
// With `"hinted": true` nobody is asked: whoever `login_hint` names is signed in, but for `nobody`, who is refused.

import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const { redirectUris = [], hinted = false } = JSON.parse(process.argv[2] ?? '{}');

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const client = {
    client_id: 'millrace',
    client_secret: 'client-secret-of-the-tests',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirect_uris: redirectUris,
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
  };
  const granted = async ({ oidc: { client, params, session } }) => {
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(params.scope);
    await grant.save();
    return grant;
  };
  const provider = new Provider(issuer, {
    clients: [client, { ...client, client_id: 'millrace-post', token_endpoint_auth_method: 'client_secret_post' }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['a key of the tests'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: !hinted },
      revocation: { enabled: true },
    },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: id.includes('@') ? id.replace(/^unverified-/, '') : `${id}@acme.example`,
        email_verified: !id.startsWith('unverified-'),
        name: `${id} of Acme`,
      }),
    }),
    ...(hinted && {
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      loadExistingGrant: granted,
    }),
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    scopes: ['openid', 'offline_access', 'email', 'profile'],
    ttl: { AccessToken: 3600, ClientCredentials: 3600, RefreshToken: 86400, Session: 3600, Grant: 86400, Interaction: 600 },
  });
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    if (!hinted || !request.url.startsWith('/interaction/')) return answer(request, response);
    const { params } = await provider.interactionDetails(request, response);
    const refused = { error: 'access_denied', error_description: 'on purpose' };
    const result = params.login_hint === 'nobody' ? refused : { login: { accountId: params.login_hint } };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  });
  console.log(JSON.stringify({ issuer }));
});

// Ends with whoever began it.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
