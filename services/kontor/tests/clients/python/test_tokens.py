"""A stock library verifies our access tokens, and knows nothing of Kontor but the issuer's address."""

import base64
import json
import os
import time
import urllib.request

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ISSUER = f"http://{os.environ['KONTOR_EDGE_ADDR']}"
DEADLINE_S = 10


def call(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ISSUER + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def token():
    email = os.environ.get("KONTOR_ADMIN_EMAIL", "admin@kontor.localhost")
    answer = call("/v1/auth:signIn", {"email": email, "password": os.environ["KONTOR_ADMIN_PASSWORD"]})
    return answer["tokens"]["accessToken"]


@pytest.fixture(scope="module")
def metadata():
    return call("/.well-known/openid-configuration")


@pytest.fixture(scope="module")
def keys(metadata):
    return jwt.PyJWKClient(metadata["jwks_uri"], timeout=DEADLINE_S)


def verify(keys, metadata, token):
    key = keys.get_signing_key_from_jwt(token)
    algorithms = metadata["id_token_signing_alg_values_supported"]
    required = ["exp", "iat", "iss", "sub", "aud", "jti", "client_id"]
    options = {"require": required}
    return jwt.decode(token, key, algorithms=algorithms, audience="kontor", issuer=ISSUER, options=options)


def forged(token, key, algorithm, **changes):
    """The same token with other claims, signed by somebody else under our key's id."""
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    extra = {name: header[name] for name in ("kid", "typ")}
    return jwt.encode(claims | changes, key, algorithm=algorithm, headers=extra)


def test_the_metadata_is_the_issuers_own(metadata):
    assert metadata["issuer"] == ISSUER
    assert metadata["id_token_signing_alg_values_supported"] == ["EdDSA"]
    assert call("/.well-known/oauth-authorization-server") == metadata


def test_a_token_is_verified_by_the_keys_that_discovery_finds(keys, metadata, token):
    claims = verify(keys, metadata, token)
    assert claims["sub"].startswith("users/")
    assert claims["exp"] - claims["iat"] == 300
    assert time.time() < claims["exp"]
    assert set(claims["scope"].split()) <= set(metadata["scopes_supported"])
    assert set(claims) <= set(metadata["claims_supported"])
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"


def test_a_token_that_somebody_else_signed_is_refused(keys, metadata, token):
    scope = "order.read user.delete"
    with pytest.raises(jwt.InvalidSignatureError):
        verify(keys, metadata, forged(token, Ed25519PrivateKey.generate(), "EdDSA", scope=scope))
    # The public key as if it were a shared secret, and no signature at all.
    [x] = [key["x"] for key in call("/.well-known/jwks.json")["keys"]]
    secret = base64.urlsafe_b64decode(x + "=")
    for token_of_another_kind in [forged(token, secret, "HS256", scope=scope), forged(token, None, "none", scope=scope)]:
        with pytest.raises(jwt.InvalidAlgorithmError):
            verify(keys, metadata, token_of_another_kind)


def test_a_token_whose_claims_were_changed_is_refused(keys, metadata, token):
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["scope"] += " order.everything"
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(jwt.InvalidSignatureError):
        verify(keys, metadata, f"{header}.{changed}.{signature}")


def test_a_token_for_others_is_refused(keys, metadata, token):
    key = keys.get_signing_key_from_jwt(token)
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, algorithms=["EdDSA"], audience="another", issuer=ISSUER)
    with pytest.raises(jwt.InvalidIssuerError):
        jwt.decode(token, key, algorithms=["EdDSA"], audience="kontor", issuer="http://another.example")
