"""What a Python user of the gRPC API does; run by tests/e2e/python.rs, which generates the client first.

The broker's address is in BROKER, the identity token on standard input. Each step prints a line when it went well.
"""

import os
import sys

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

from dockpass.v1 import access_service_pb2, access_service_pb2_grpc, access_token_pb2

PUSH = [access_token_pb2.ACTION_CONTENT_READ, access_token_pb2.ACTION_CONTENT_WRITE]


def issue(service, identity, repository, **fields):
    permission = access_token_pb2.RepositoryPermission(repository=repository, actions=PUSH)
    request = access_service_pb2.IssueAccessTokenRequest(registry="local", permissions=[permission], **fields)
    return service.IssueAccessToken(request, metadata=[("authorization", f"Bearer {identity}")], timeout=20)


def refusal(call):
    """The code of a refused call, and its details by the name of their type."""
    try:
        call()
    except grpc.RpcError as error:
        details = {}
        for packed in rpc_status.from_call(error).details:
            kind = packed.type_url.rsplit(".", 1)[1]
            detail = getattr(error_details_pb2, kind)()
            assert packed.Unpack(detail), packed
            details[kind] = detail
        return error.code(), details
    raise AssertionError("it went through")


def main():
    identity = sys.stdin.read().strip()
    channel = grpc.insecure_channel(os.environ["BROKER"])
    service = access_service_pb2_grpc.AccessServiceStub(channel)

    token = issue(service, identity, "servers/nginx", lifetime=Duration(seconds=600)).access_token
    assert token.username and token.password.startswith("dps_"), "no credential"
    assert token.expire_time.seconds - token.issue_time.seconds == 600, (token.issue_time, token.expire_time)
    assert [(p.repository, list(p.actions)) for p in token.permissions] == [("servers/nginx", PUSH)]
    print("issued")

    code, details = refusal(lambda: issue(service, identity, "servers/apache"))
    info = details["ErrorInfo"]
    assert code == grpc.StatusCode.PERMISSION_DENIED, code
    assert (info.domain, info.reason) == ("dockpass", "ACCESS_DENIED"), info
    assert info.metadata["decision-id"], info
    print("refused")

    code, details = refusal(lambda: issue(service, identity, "Servers/NGINX"))
    assert code == grpc.StatusCode.INVALID_ARGUMENT, code
    assert details["ErrorInfo"].reason == "INVALID_REQUEST", details
    fields = [violation.field for violation in details["BadRequest"].field_violations]
    assert fields == ["permissions[0].repository"], fields
    print("invalid")

    health = health_pb2_grpc.HealthStub(channel)
    for name in ["", "dockpass.v1.AccessService"]:
        answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=20)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, (name, answer)
    print("healthy")

    reflection = ProtoReflectionDescriptorDatabase(channel)
    assert "dockpass.v1.AccessService" in reflection.get_services(), reflection.get_services()
    reflection.FindFileContainingSymbol("dockpass.v1.IssueAccessTokenRequest")
    print("reflected")


if __name__ == "__main__":
    main()
