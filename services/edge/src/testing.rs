//! A contract with one method and fields of every kind, for unit tests.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage, Value};
use tokio::runtime::Runtime;
use tonic::transport::Endpoint;

use crate::route::{Binding, Route};

const SOURCE: &str = r#"
syntax = "proto3";
package try.v1;
import "google/api/http.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Color { COLOR_UNSPECIFIED = 0; RED = 1; BLUE = 2; }
message All {
  string text = 1; bool flag = 2; int32 small = 3; int64 large = 4; double ratio = 5; bytes data = 6;
  Color color = 7; repeated Color colors = 8; repeated int32 numbers = 9; optional string note = 10;
  google.protobuf.Timestamp at = 11; google.protobuf.Duration wait = 12; google.protobuf.FieldMask mask = 13;
  google.protobuf.BoolValue maybe_flag = 14; google.protobuf.Int32Value maybe_number = 15;
  All inner = 16; repeated All many = 17; map<string, string> labels = 18; string id = 19;
  oneof choice { string a = 20; string b = 21; }
}
service S { rpc Get(All) returns (All); }
"#;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("try.proto"), SOURCE).unwrap();
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut compiler = protox::Compiler::new([folder.path(), &proto]).unwrap();
    compiler.include_imports(true).open_file("try.proto").unwrap();
    compiler.descriptor_pool()
});

/// A runtime, which a channel needs to exist.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    &RUNTIME
}

/// `GET /v1/all/{id}`, to nowhere.
pub(crate) fn route() -> Route {
    let mut rule = DynamicMessage::new(POOL.get_message_by_name("google.api.HttpRule").unwrap());
    rule.set_field_by_name("get", Value::String("/v1/all/{id}".into()));
    let method = POOL.get_service_by_name("try.v1.S").unwrap().methods().next().unwrap();
    let channel = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
    Route::new(&method, &Binding::read(&rule).unwrap(), channel).unwrap().unwrap()
}
