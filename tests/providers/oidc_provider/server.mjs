// The OpenID provider «oidc-provider» on a free port of loopback; prints its address. Standard input closed: the end.
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { createServer } from 'node:http';

const { clients, accounts } = JSON.parse(process.argv[2]);

async function key(alg, kid) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid };
}

const server = createServer();
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients,
  // Off by default there, though RP-Initiated Logout 1.0 (section 2) asks every provider for POST, too.
  enableHttpPostMethods: true,
  cookies: { keys: ['of the tests only'], long: { sameSite: 'none' } },
  jwks: { keys: [await key('RS256', 'rs'), await key('PS256', 'ps'), await key('ES256', 'es')] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'HS256'] },
  claims: {
    openid: ['sub'],
    profile: ['given_name', 'family_name', 'middle_name', 'birthdate', 'trusted', 'snils'],
    email: ['email', 'email_verified'],
    phone: ['phone_number', 'phone_number_verified'],
  },
  findAccount: (ctx, sub) => accounts[sub] && { accountId: sub, claims: () => ({ sub, ...accounts[sub] }) },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
});
server.on('request', provider.callback());
process.stdin.on('end', () => process.exit(0)).resume();
console.log(issuer);
