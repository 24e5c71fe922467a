//! Compiles the service definitions, with protox: no protoc is needed.

use std::error::Error;
use std::path::PathBuf;

const PROTOS: [&str; 6] = [
    "dockpass/v1/access_service.proto",
    "dockpass/v1/audit_service.proto",
    "dockpass/v1/policy_service.proto",
    "dockpass/v1/registry_service.proto",
    "dockpass/v1/scope_map_service.proto",
    "dockpass/v1/token_service.proto",
];

/// Messages that carry a secret; their derived `Debug` would print it, so `src/pb.rs` writes one that does not.
const WITHOUT_DEBUG: [&str; 2] =
    ["dockpass.v1.AccessToken", "dockpass.v1.GeneratePasswordResponse"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(PROTOS)?;
    let out: PathBuf = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?.into();
    // for reflection, as protox encodes it: prost-types would drop options that it does not know, such as debug_redact
    std::fs::write(out.join("dockpass.v1.bin"), compiler.encode_file_descriptor_set())?;
    let descriptors = compiler.file_descriptor_set();
    let mut config = prost_build::Config::new();
    config.skip_debug(WITHOUT_DEBUG);
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    compile_spiffe()
}

/// The SPIFFE Workload API, apart: it is not served, so it is not among the descriptors for reflection.
fn compile_spiffe() -> Result<(), Box<dyn Error>> {
    let mut config = prost_build::Config::new();
    config.skip_debug(["JWTSVID"]).default_package_filename("spiffe");
    let descriptors = protox::compile(["spiffe/workload.proto"], ["proto"])?;
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    Ok(())
}
