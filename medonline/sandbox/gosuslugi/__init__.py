"""Stand-in of Gosuslugi (ESIA): the state's sign-in, for training and tests.

Two faces over the same sign-in pages, people and faults:

    /aas/oauth2/v2/ac, /aas/oauth2/v3/te, /idp/ext/Logout, /rs/prns/...   ESIA's own protocol
    /oidc/...                                                             standard OpenID Connect, as gateways speak it

    journeys.py, sessions.py, codes.py, faults.py    what is kept, in tables of the sandbox's database
    esia*.py, oidc*.py                               the two faces
    sign_in.py, other_ways.py, *_pages.py            what a person sees
    stand_in.py                                      puts them together

One thing differs from production on purpose: `client_secret` is signed with RSA (PKCS#1 v1.5, SHA-256) where ESIA wants
GOST R 34.10-2012, and certificates are hashed with SHA-256 where ESIA wants Streebog-256, because certified
cryptography cannot be shipped with a training stand.
"""
