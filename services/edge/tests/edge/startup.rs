//! A contract that can't be served stops the edge before it starts; one that can needs no change here.

use std::fs;
use std::path::Path;

use kontor_edge::{Edge, Error, Upstreams, serve};
use tokio::net::TcpListener;

use crate::support::dead_channel;

const PUBLIC: &str = "option (kontor.access.v1.rule) = {public: {}};";

/// The descriptors of a contract with these methods; `M` has fields to bind.
fn contract(methods: &str) -> Vec<u8> {
    let source = format!(
        r#"syntax = "proto3";
        package try.v1;
        import "google/api/annotations.proto";
        import "google/api/httpbody.proto";
        import "kontor/access/v1/access.proto";
        message M {{ string name = 1; repeated string tags = 2; M inner = 3; google.api.HttpBody file = 4; }}
        service S {{ {methods} }}"#
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("try.proto"), source).unwrap();
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut compiler = protox::Compiler::new([folder.path(), &proto]).unwrap();
    compiler.include_imports(true).open_file("try.proto").unwrap();
    compiler.encode_file_descriptor_set()
}

fn rpc(name: &str, http: &str) -> String {
    format!("rpc {name}(M) returns (M) {{ option (google.api.http) = {{{http}}}; {PUBLIC} }}")
}

fn start(methods: &str) -> Result<Edge, Error> {
    Edge::new(&contract(methods), Upstreams::new().with("try.v1", dead_channel()))
}

#[tokio::test]
async fn two_methods_with_one_route_collide() {
    let methods = rpc("A", r#"get: "/v1/{name=a/*}""#) + &rpc("B", r#"get: "/v1/a/{inner.name}""#);
    let error = start(&methods).unwrap_err();
    assert!(
        matches!(&error, Error::Collision { first, second, .. } if first == "try.v1.S.A" && second == "try.v1.S.B")
    );
}

#[tokio::test]
async fn routes_must_name_fields_that_fit() {
    let bad = [
        r#"get: "/v1/{nothing}""#,
        r#"get: "/v1/{inner.nothing}""#,
        r#"get: "/v1/{tags}""#,
        r#"get: "/v1/{inner}""#,
        r#"get: "/v1/{name""#,
        r#"post: "/v1/a" body: "nothing""#,
        r#"post: "/v1/a" body: "name""#,
        r#"post: "/v1/a" body: "*" response_body: "nothing""#,
        r#"get: "/v1/a" body: "*""#,
        r#"body: "*""#,
    ];
    for http in bad {
        let error = start(&rpc("A", http)).unwrap_err();
        assert!(matches!(error, Error::Route { .. }), "{http}: {error}");
    }
}

#[tokio::test]
async fn a_route_needs_an_upstream_and_an_access_rule() {
    let method = rpc("A", r#"get: "/v1/a""#);
    let error = Edge::new(&contract(&method), Upstreams::new()).unwrap_err();
    assert!(matches!(error, Error::NoUpstream { package, .. } if package == "try.v1"));
    let error = start(&method.replace(PUBLIC, "")).unwrap_err();
    assert!(matches!(error, Error::NoRule { .. }));
    assert!(matches!(Edge::new(b"\xff", Upstreams::new()), Err(Error::Descriptors(_))));
}

#[tokio::test]
async fn what_has_a_route_is_served_and_what_has_none_is_not() {
    let internal = rpc("B", r#"get: "/v1/b""#).replace("public", "internal");
    let stream = rpc("C", r#"get: "/v1/c""#).replace("returns (M)", "returns (stream M)");
    let upload = rpc("D", r#"post: "/v1/d" body: "*""#).replace("D(M)", "D(stream M)");
    let more = rpc("A", r#"get: "/v1/{name=a/**}" additional_bindings: {put: "/v1/x/{name}:do" body: "inner"}"#);
    let router = start(&[more, internal, stream, upload].concat()).unwrap().router();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router, std::future::pending()));
    let client = reqwest::Client::new();
    let ask = async |method: &str, path: &str| {
        let method = method.parse::<reqwest::Method>().unwrap();
        client.request(method, format!("http://{address}{path}")).send().await.unwrap().status().as_u16()
    };
    // Nobody is behind it, so 503 is as far as a request can get.
    assert_eq!(ask("GET", "/v1/a/b/c/d").await, 503);
    assert_eq!(ask("PUT", "/v1/x/y:do").await, 503);
    assert_eq!(ask("GET", "/v1/a/b?inner.inner.name=x&tags=a&tags=b").await, 503);
    assert_eq!(ask("GET", "/v1/a/b?inner=x").await, 400);
    assert_eq!(ask("GET", "/v1/b").await, 404, "internal");
    assert_eq!(ask("GET", "/v1/c").await, 404, "a server stream");
    assert_eq!(ask("POST", "/v1/d").await, 404, "a client stream without a file");
}
