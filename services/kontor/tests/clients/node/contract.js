// Clients from proto/, and the details of errors, as any program outside of the repository would read them.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

const PROTO = path.resolve(__dirname, '../../../../../proto');
const DEADLINE_MS = 10_000;

const sources = fs.readdirSync(path.join(PROTO, 'kontor'), { recursive: true })
  .filter((file) => file.endsWith('.proto'))
  .map((file) => path.join('kontor', file));
const definition = protoLoader.loadSync(sources, {
  includeDirs: [PROTO], keepCase: true, longs: String, enums: String, defaults: true,
});
const { kontor } = grpc.loadPackageDefinition(definition);

// google.rpc.Status and ErrorInfo, by their published field numbers.
const rpc = protobuf.parse(`
  syntax = "proto3";
  package google.rpc;
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
`, { keepCase: true }).root;
const Status = rpc.lookupType('google.rpc.Status');
const ErrorInfo = rpc.lookupType('google.rpc.ErrorInfo');

/** A client whose methods give promises: `await client.GetProduct({name})`. */
function connect(Service, address) {
  const client = new Service(address, grpc.credentials.createInsecure());
  const methods = Object.keys(Service.service).map((name) => [name, (request) => new Promise((resolve, reject) => {
    const settle = (error, answer) => (error ? reject(error) : resolve(answer));
    client[name](request, { deadline: Date.now() + DEADLINE_MS }, settle);
  })]);
  return { ...Object.fromEntries(methods), close: () => client.close() };
}

/** The google.rpc.ErrorInfo that every error carries. */
function errorInfo(error) {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const packed = Status.decode(bytes).details.find((detail) => detail.type_url.endsWith('/google.rpc.ErrorInfo'));
  return ErrorInfo.toObject(ErrorInfo.decode(packed.value));
}

module.exports = { kontor, connect, errorInfo, codes: grpc.status };
