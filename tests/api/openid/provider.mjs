// A certified OpenID provider for tests. Whoever `login_hint` names is signed in without being asked; everything else (PKCE, codes,
// signatures, discovery, user info) is the library's. Prints its address when it listens. Argument: the allowed redirect address.
import { createRequire } from "node:module";
import { createServer } from "node:http";

const [, , redirectUrl, libraries] = process.argv;
const { Provider } = await import(createRequire(`${libraries}/`).resolve("oidc-provider"));

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "millrace", client_secret: "s3cret", redirect_uris: [redirectUrl] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `${id} of Acme`,
        email: id.includes("@") ? id.replace(/^unverified-/, "") : `${id}@acme.example`,
        email_verified: !id.startsWith("unverified-"),
      }),
    }),
    loadExistingGrant: async (context) => {
      const { client, params, session } = context.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(params.scope);
      await grant.save();
      return grant;
    },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    cookies: { keys: ["test"] },
  });
  const answer = provider.callback();
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return answer(request, response);
    const { params } = await provider.interactionDetails(request, response);
    const refused = { error: "access_denied", error_description: "on purpose" };
    const result = params.login_hint === "nobody" ? refused : { login: { accountId: params.login_hint } };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  });
  console.log(issuer);
});
