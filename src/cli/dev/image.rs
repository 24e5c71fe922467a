//! The smallest image there is, as an OCI image layout, so that there is something to push.

use std::fs;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

/// An empty tar archive: two blocks of zeros.
const LAYER: [u8; 1024] = [0; 1024];

/// Writes an image of one empty layer into `folder` (OCI image specification, image layout).
pub(super) fn write(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder.join("blobs/sha256"))?;
    let layer_digest = sha256(&LAYER);
    let layer = blob(folder, "application/vnd.oci.image.layer.v1.tar", &LAYER)?;
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
    });
    let config =
        blob(folder, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes())?;
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest =
        json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer]});
    let manifest = blob(folder, media_type, manifest.to_string().as_bytes())?;
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    fs::write(folder.join("index.json"), index.to_string())?;
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)
}

/// Writes a blob and gives its descriptor.
fn blob(folder: &Path, media_type: &str, content: &[u8]) -> std::io::Result<Value> {
    let digest = sha256(content);
    fs::write(folder.join("blobs").join(digest.replace(':', "/")), content)?;
    Ok(json!({"mediaType": media_type, "digest": digest, "size": content.len()}))
}

fn sha256(content: &[u8]) -> String {
    let hash = digest(&SHA256, content);
    hash.as_ref().iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}
