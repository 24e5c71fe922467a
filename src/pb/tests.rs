//! Every field that is marked as secret in the service definitions must not print (`debug_redact`, which prost ignores).

use prost::Message;

use super::*;

const CANARY: &str = "canary-that-must-not-print";

// the few fields of google/protobuf/descriptor.proto that matter here; prost-types lacks debug_redact

#[derive(Message)]
struct DescriptorSet {
    #[prost(message, repeated, tag = "1")]
    files: Vec<File>,
}

#[derive(Message)]
struct File {
    #[prost(string, tag = "2")]
    package: String,
    #[prost(message, repeated, tag = "4")]
    messages: Vec<MessageType>,
}

#[derive(Message)]
struct MessageType {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    fields: Vec<Field>,
    #[prost(message, repeated, tag = "3")]
    nested: Vec<MessageType>,
}

#[derive(Message)]
struct Field {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint32, tag = "3")]
    number: u32,
    #[prost(message, optional, tag = "8")]
    options: Option<Options>,
}

#[derive(Message)]
struct Options {
    #[prost(bool, tag = "16")]
    debug_redact: bool,
}

/// The messages of our package with the fields that are secret in them.
fn secret_fields() -> Vec<(String, Vec<Field>)> {
    let set = DescriptorSet::decode(DESCRIPTORS).unwrap();
    let ours = set.files.into_iter().filter(|file| file.package == "dockpass.v1");
    let mut secret = Vec::new();
    let mut messages: Vec<_> = ours.flat_map(|file| file.messages).collect();
    while let Some(message) = messages.pop() {
        let is_secret = |field: &Field| field.options.as_ref().is_some_and(|o| o.debug_redact);
        let fields: Vec<_> = message.fields.into_iter().filter(is_secret).collect();
        if !fields.is_empty() {
            secret.push((message.name, fields));
        }
        messages.extend(message.nested);
    }
    secret
}

/// What a message prints whose field `number` holds the canary.
fn printed(message: &str, number: u32) -> String {
    let mut bytes = Vec::new();
    prost::encoding::string::encode(number, &CANARY.to_owned(), &mut bytes);
    match message {
        "AccessToken" => {
            let token = AccessToken::decode(&*bytes).unwrap();
            let response = IssueAccessTokenResponse { access_token: Some(token.clone()) };
            assert!(token.encode_to_vec() == bytes, "the canary is in the field");
            format!("{token:?} {token:#?} {response:?}")
        }
        "GeneratePasswordResponse" => {
            let response = GeneratePasswordResponse::decode(&*bytes).unwrap();
            assert!(response.encode_to_vec() == bytes, "the canary is in the field");
            format!("{response:?} {response:#?}")
        }
        other => panic!("{other} carries a secret: write its Debug by hand, and add it here"),
    }
}

#[test]
fn no_field_that_is_marked_as_secret_prints() {
    let secret = secret_fields();
    for (message, fields) in &secret {
        for field in fields {
            let printed = printed(message, field.number);
            assert!(!printed.contains(CANARY), "{message}.{}: {printed}", field.name);
        }
    }
    let mut names: Vec<_> =
        secret.iter().flat_map(|(_, fields)| fields).map(|f| &*f.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["bearer_token", "password", "secret"]);
}

#[test]
fn fields_that_sound_secret_are_marked() {
    let set = DescriptorSet::decode(DESCRIPTORS).unwrap();
    let ours = set.files.into_iter().filter(|file| file.package == "dockpass.v1");
    for message in ours.flat_map(|file| file.messages) {
        for field in message.fields {
            let sounds = ["password", "secret", "bearer_token"].contains(&&*field.name);
            let marked = field.options.as_ref().is_some_and(|options| options.debug_redact);
            assert_eq!(sounds, marked, "{}.{}", message.name, field.name);
        }
    }
}
