"""A client in Python, generated from the service definitions with grpcio-tools, against a running dockpass.

Usage: python test_client.py, with these variables:
    DOCKPASS_SERVER          http://HOST:PORT or https://HOST:PORT
    DOCKPASS_CA_FILE         for https: the PEM file of the server's root certificate (absent = the system's)
    DOCKPASS_IDENTITY_TOKEN  an OIDC token that the server accepts
    DOCKPASS_REGISTRY        the registry's name
    DOCKPASS_ALLOWED         a repository to which the identity may push
    DOCKPASS_DENIED          a repository to which it may not

Prints one line for each check; exits with 1 and says what is wrong when one fails.
"""

import importlib
import os
import pathlib
import sys
import tempfile
import uuid
from datetime import datetime, timedelta, timezone

import grpc
import grpc_tools
from google.protobuf import duration_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
SERVICE = "dockpass.v1.AccessService"
DEADLINE = 20


class Failed(Exception):
    """A check that did not hold."""


def expect(holds, what):
    if not holds:
        raise Failed(what)


def setting(name):
    value = os.environ.get(name)
    if not value:
        sys.exit(f"set {name}: the top of {pathlib.Path(__file__).name} lists the variables")
    return value


def generate(folder):
    """Generates the client, as a user of dockpass would, and imports it."""
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    files = [str(path) for path in sorted(PROTO.rglob("*.proto"))]
    options = [f"-I{PROTO}", f"-I{well_known}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    expect(protoc.main(["protoc", *options, *files]) == 0, "grpcio-tools generates the client")
    sys.path.insert(0, folder)
    return (
        importlib.import_module("dockpass.v1.access_service_pb2"),
        importlib.import_module("dockpass.v1.access_token_pb2"),
        importlib.import_module("dockpass.v1.access_service_pb2_grpc"),
    )


def connect(server):
    scheme, _, address = server.partition("://")
    if scheme == "http":
        return grpc.insecure_channel(address)
    expect(scheme == "https", f"DOCKPASS_SERVER is http:// or https://, not {server}")
    ca_file = os.environ.get("DOCKPASS_CA_FILE")
    roots = pathlib.Path(ca_file).read_bytes() if ca_file else None
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(roots))


class Client:
    """One caller with its identity."""

    def __init__(self, folder, channel):
        self.service_pb2, self.token_pb2, service_grpc = generate(folder)
        self.stub = service_grpc.AccessServiceStub(channel)
        self.identity = [("authorization", f"Bearer {setting('DOCKPASS_IDENTITY_TOKEN')}")]
        self.registry = setting("DOCKPASS_REGISTRY")

    def push(self, repository):
        actions = [self.token_pb2.ACTION_CONTENT_READ, self.token_pb2.ACTION_CONTENT_WRITE]
        return self.token_pb2.RepositoryPermission(repository=repository, actions=actions)

    def issue(self, permissions, identity=None, **fields):
        request = self.service_pb2.IssueAccessTokenRequest(
            registry=self.registry, permissions=permissions, **fields
        )
        metadata = self.identity if identity is None else identity
        return self.stub.IssueAccessToken(request, metadata=metadata, timeout=DEADLINE)

    def check(self, permissions):
        request = self.service_pb2.CheckAccessRequest(
            registry=self.registry, permissions=permissions
        )
        return self.stub.CheckAccess(request, metadata=self.identity, timeout=DEADLINE)

    def revoke(self, access_token_id):
        request = self.service_pb2.RevokeAccessTokenRequest(access_token_id=access_token_id)
        return self.stub.RevokeAccessToken(request, metadata=self.identity, timeout=DEADLINE)


def refused(code, reason, call):
    """Makes the call, which must be refused so; gives the details of the refusal by their type."""
    try:
        call()
    except grpc.RpcError as error:
        expect(error.code() == code, f"the code is {code}, not {error.code()}: {error.details()}")
        status = rpc_status.from_call(error)
        expect(status is not None, f"{reason}: the refusal carries google.rpc.Status")
        return details_of(status, reason)
    raise Failed(f"{reason}: the call was not refused")


def details_of(status, reason):
    details = {}
    for packed in status.details:
        kind = packed.type_url.rpartition("google.rpc.")[2]
        expect(kind not in details, f"{reason}: one {kind}")
        message = getattr(error_details_pb2, kind)()
        expect(packed.Unpack(message), f"{reason}: a {kind} unpacks")
        details[kind] = message
    info = details.get("ErrorInfo")
    expect(info is not None, f"{reason}: there is an ErrorInfo")
    expect((info.domain, info.reason) == ("dockpass", reason), f"{reason}, not {info.reason}")
    expect(uuid.UUID(info.metadata["decision-id"]).version == 7, f"{reason}: a decision id")
    return details


def issues_an_access_token(client):
    wanted = client.push(setting("DOCKPASS_ALLOWED"))
    lifetime = duration_pb2.Duration(seconds=600)
    token = client.issue([wanted], lifetime=lifetime, with_bearer_token=True, fresh=True).access_token
    expect(uuid.UUID(token.id).version == 7, "the access token has an id")
    expect(token.registry == client.registry, "it is of the registry asked for")
    expect(list(token.permissions) == [wanted], "it lets through what was asked for, no more")
    expect(token.username and token.password.startswith("dps_"), "it is a username and a password")
    expect(token.bearer_token.count(".") == 2, "and the bearer token that was asked for")
    left = token.expire_time.ToDatetime(timezone.utc) - datetime.now(timezone.utc)
    expect(timedelta(0) < left <= timedelta(minutes=11), f"it ends within ten minutes, not {left}")
    expect(not token.reused, "a fresh one is never reused")
    return token


def checks_access(client):
    allowed = client.check([client.push(setting("DOCKPASS_ALLOWED"))])
    expect(allowed.allowed and allowed.token_name and allowed.scope_map, "it would be allowed")
    denied = client.check([client.push(setting("DOCKPASS_DENIED"))])
    expect(not denied.allowed and denied.reason == "ACCESS_DENIED", "it would be refused")
    expect(denied.decision_id and not denied.scope_map, "with a decision id and no hint")


def is_refused_by_policy(client):
    permissions = [client.push(setting("DOCKPASS_ALLOWED")), client.push(setting("DOCKPASS_DENIED"))]
    call = lambda: client.issue(permissions)
    details = refused(grpc.StatusCode.PERMISSION_DENIED, "ACCESS_DENIED", call)
    expect(set(details) == {"ErrorInfo"}, "a denial says nothing else")


def is_refused_without_an_identity(client):
    permissions = [client.push(setting("DOCKPASS_ALLOWED"))]
    unauthenticated = grpc.StatusCode.UNAUTHENTICATED
    refused(unauthenticated, "IDENTITY_MISSING", lambda: client.issue(permissions, identity=[]))
    twice = client.identity * 2
    refused(unauthenticated, "IDENTITY_INVALID", lambda: client.issue(permissions, identity=twice))
    wrong = [("authorization", "Bearer e30.e30.e30")]
    refused(unauthenticated, "IDENTITY_INVALID", lambda: client.issue(permissions, identity=wrong))


def is_told_what_is_malformed(client):
    call = lambda: client.issue(
        [client.push("servers/nginx"), client.push("Servers/Nginx")],
        lifetime=duration_pb2.Duration(seconds=1),
    )
    details = refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", call)
    fields = [violation.field for violation in details["BadRequest"].field_violations]
    expect(fields == ["permissions[1].repository", "lifetime"], f"both fields are named: {fields}")


def is_told_that_a_message_is_too_large(client):
    call = lambda: client.issue([client.push("a" * 8_000_000)])
    details = refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", call)
    expect("larger than" in details["BadRequest"].field_violations[0].description, "and why")


def takes_an_access_token_back(client):
    token = issues_an_access_token(client)
    revoked = client.revoke(token.id)
    expect(revoked.expire_time == token.expire_time, "it would have ended when it said")


def asks_for_health(channel):
    health = health_pb2_grpc.HealthStub(channel)
    for service in ["", SERVICE]:
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=DEADLINE)
        expect(answer.status == health_pb2.HealthCheckResponse.SERVING, f"{service!r} is served")
    watching = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=DEADLINE)
    expect(next(watching).status == health_pb2.HealthCheckResponse.SERVING, "and watched")
    watching.cancel()


def asks_by_reflection(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    services = set(database.get_services())
    wanted = {SERVICE, "grpc.health.v1.Health"}
    expect(wanted <= services, f"reflection v1alpha lists {wanted}, not only {services}")
    service = DescriptorPool(database).FindServiceByName(SERVICE)
    methods = {method.name for method in service.methods}
    wanted = {"IssueAccessToken", "CheckAccess", "RevokeAccessToken"}
    expect(methods == wanted, f"reflection describes {wanted}, not {methods}")


def asks_by_reflection_v1(channel):
    """The Python client speaks v1alpha only; v1 has the same messages under another name."""
    from grpc_reflection.v1alpha import reflection_pb2

    call = channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answer = next(call(iter([request]), timeout=DEADLINE))
    services = {service.name for service in answer.list_services_response.service}
    expect(SERVICE in services, f"reflection v1 lists {SERVICE}, not only {services}")


def main():
    with tempfile.TemporaryDirectory() as folder, connect(setting("DOCKPASS_SERVER")) as channel:
        client = Client(folder, channel)
        checks = [
            (issues_an_access_token, client),
            (checks_access, client),
            (is_refused_by_policy, client),
            (is_refused_without_an_identity, client),
            (is_told_what_is_malformed, client),
            (is_told_that_a_message_is_too_large, client),
            (takes_an_access_token_back, client),
            (asks_for_health, channel),
            (asks_by_reflection, channel),
            (asks_by_reflection_v1, channel),
        ]
        for check, subject in checks:
            name = check.__name__.replace("_", " ")
            try:
                check(subject)
            except (Failed, grpc.RpcError) as error:
                sys.exit(f"FAILED {name}: {error}")
            print(f"ok {name}", flush=True)


if __name__ == "__main__":
    main()
