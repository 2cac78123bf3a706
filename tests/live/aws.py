"""What Amazon's gate lets in: requests that are signed right, by the reckoning of botocore, which
shares no code with the program under test."""
import hashlib

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from gate import Gate, Verdict


def verify(method, url, headers, body, keys, region, service):
    """Raises Verdict unless the signature is the one that botocore makes of the same request."""
    fields = {}
    scheme, _, rest = headers.get("Authorization", "").partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        raise Verdict("Missing Authentication Token")
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        fields[name] = value
    access, date, *scope = fields["Credential"].split("/")
    if access not in keys:
        raise Verdict("The security token included in the request is invalid")
    if scope != [region, service, "aws4_request"]:
        raise Verdict(f"Credential should be scoped to {region}/{service}, not {scope}")
    secret, token = keys[access]
    if headers.get("X-Amz-Security-Token") != token:
        raise Verdict("The security token included in the request is expired")
    digest = hashlib.sha256(body).hexdigest()
    if headers.get("X-Amz-Content-Sha256", digest) != digest:
        raise Verdict("The provided 'x-amz-content-sha256' header does not match")
    signed = fields["SignedHeaders"].split(";")
    if "host" not in signed or (token and "x-amz-security-token" not in signed):
        raise Verdict(f"headers are not signed: {signed}")
    auth = SigV4Auth(Credentials(access, secret, token), service, region)
    request = AWSRequest(method=method, url=url, data=body,
                         headers={name: headers[name] for name in signed if name != "host"})
    request.context["timestamp"] = headers["X-Amz-Date"]
    if not headers["X-Amz-Date"].startswith(date):
        raise Verdict("Date in Credential scope does not match")
    text = auth.string_to_sign(request, auth.canonical_request(request))
    if auth.signature(text, request) != fields["Signature"]:
        raise Verdict("The request signature we calculated does not match\n" +
                      auth.canonical_request(request))


def aws_gate(target, keys, region="eu-central-1", service="es"):
    """keys: {access key: (secret, token or None)}, which may change."""
    def guard(method, url, headers, body):
        verify(method, url, headers, body, keys, region, service)
    return Gate(target, guard, 403)
