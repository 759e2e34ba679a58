//! Compiles `proto/` with protox (no protoc on the machine): messages, clients and servers by tonic, the
//! checks of single messages by [`rules`], and the descriptor set with all its options and comments.

#![expect(clippy::print_stdout, reason = "a build script speaks to cargo by its standard output")]

mod redact;
mod rules;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost_reflect::DescriptorPool;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=build");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true);
    for file in proto_files(&root.join("kontor"))? {
        compiler.open_file(file)?;
    }
    // The encoded form keeps the options of our own and of google.api; the typed one drops them.
    let encoded = compiler.encode_file_descriptor_set();
    let pool = DescriptorPool::decode(encoded.as_slice())?;
    fs::write(out.join("descriptor_set.bin"), &encoded)?;
    fs::write(out.join("rules.rs"), rules::generate(&pool)?)?;
    fs::write(out.join("redact.rs"), redact::generate(&pool))?;

    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure()
        .codec_path("crate::codec::CheckedCodec")
        .skip_debug(redact::messages(&pool))
        .bytes(".google.api.HttpBody")
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    Ok(())
}

fn proto_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|ext| ext == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
