//! A small image, made by hand as an OCI image layout.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;

/// An image on disk, of one layer.
pub(crate) struct Image {
    folder: PathBuf,
    layer: Vec<u8>,
}

impl Image {
    /// Writes the image into `folder`; `text` makes its layer one of a kind.
    pub(crate) fn write(folder: &Path, text: &str) -> Self {
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        let put = |bytes: &[u8], media_type: &str| {
            let digest = sha256(bytes);
            std::fs::write(blobs.join(digest.strip_prefix("sha256:").unwrap()), bytes).unwrap();
            json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
        };
        let tar = tar(text);
        let layer = gzip(&tar);
        let layer_entry = put(&layer, "application/vnd.oci.image.layer.v1.tar+gzip");
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [sha256(&tar)]},
        });
        let config_entry =
            put(config.to_string().as_bytes(), "application/vnd.oci.image.config.v1+json");
        let manifest_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": manifest_type,
            "config": config_entry, "layers": [layer_entry],
        });
        let mut entry = put(manifest.to_string().as_bytes(), manifest_type);
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": "1"});
        let index = json!({"schemaVersion": 2, "manifests": [entry]});
        std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
        std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { folder: folder.to_owned(), layer }
    }

    /// What skopeo calls it.
    pub(crate) fn reference(&self) -> String {
        format!("oci:{}:1", self.folder.display())
    }

    /// The digest of its layer, as a registry keeps it.
    pub(crate) fn layer_digest(&self) -> String {
        sha256(&self.layer)
    }
}

/// A digest as registries write it.
fn sha256(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in digest(&SHA256, bytes).as_ref() {
        write!(hex, "{byte:02x}").unwrap();
    }
    format!("sha256:{hex}")
}

/// A tar archive (POSIX ustar) of one file, `hello`.
fn tar(text: &str) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let mut field = |at: usize, value: &[u8]| header[at..at + value.len()].copy_from_slice(value);
    field(0, b"hello");
    field(100, b"0000644\0");
    field(108, b"0000000\0");
    field(116, b"0000000\0");
    field(124, format!("{:011o}\0", text.len()).as_bytes());
    field(136, b"00000000000\0");
    field(148, b"        ");
    field(156, b"0");
    field(257, b"ustar\x0000");
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header.to_vec();
    archive.extend_from_slice(text.as_bytes());
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

/// A gzip stream (RFC 1952) of one stored block.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let mut stream = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    stream.extend_from_slice(&length.to_le_bytes());
    stream.extend_from_slice(&(!length).to_le_bytes());
    stream.extend_from_slice(bytes);
    stream.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    stream.extend_from_slice(&u32::from(length).to_le_bytes());
    stream
}
