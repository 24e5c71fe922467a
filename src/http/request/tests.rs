use axum::http::header::AUTHORIZATION;
use proptest::prelude::*;

use super::*;

fn get(query: &str) -> Result<Asked, Malformed> {
    parse_get(query, &HeaderMap::new())
}

fn post(form: &str) -> Result<Asked, Malformed> {
    parse_post(form.as_bytes(), &HeaderMap::new())
}

fn basic() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, "Basic YTpi".parse().unwrap());
    headers
}

fn refused(result: Result<Asked, Malformed>) -> (String, &'static str) {
    let malformed = result.unwrap_err();
    assert_eq!(malformed.status, StatusCode::BAD_REQUEST);
    (malformed.violation.field, malformed.error)
}

#[test]
fn the_get_of_docker_login_is_understood() {
    let query = "account=nginx-ci&client_id=docker&offline_token=true&service=localhost%3A5000";
    let asked = parse_get(query, &basic()).unwrap();
    assert_eq!(asked.request.service, "localhost:5000");
    assert_eq!(asked.request.account.as_deref(), Some("nginx-ci"));
    assert!(asked.request.offline && asked.request.permissions.is_empty());
    assert!(!asked.request.refresh_grant);
    assert!(matches!(asked.request.presented, Presented::Basic { .. }));
    assert_eq!(asked.reply, Reply::Docker);
}

#[test]
fn f12_a_get_without_credentials_presents_nothing() {
    let asked = get("service=s&scope=repository:a:pull").unwrap();
    assert!(matches!(asked.request.presented, Presented::Nothing));
    assert!(!asked.request.offline);
}

#[test]
fn f8_repeated_and_joined_scopes_of_query_and_form_are_one_list() {
    let scopes = "scope=repository%3Aa%3Apull%2Cpush+repository:b:pull&scope=repository:c:pull";
    let expected = "a:content/read,content/write b:content/read c:content/read";
    let asked = get(&format!("service=s&{scopes}")).unwrap();
    assert_eq!(asked.request.permissions.to_string(), expected);
    let form = format!("grant_type=refresh_token&refresh_token=x&service=s&{scopes}");
    assert_eq!(post(&form).unwrap().request.permissions.to_string(), expected);
}

#[test]
fn f9_too_many_and_upper_case_scopes_are_invalid_scopes() {
    let many = (0..101).map(|n| format!("scope=repository:r{n}:pull")).collect::<Vec<_>>();
    assert_eq!(
        refused(get(&format!("service=s&{}", many.join("&")))),
        ("scope".to_owned(), "invalid_scope")
    );
    assert_eq!(refused(get("service=s&scope=repository:A:pull")).1, "invalid_scope");
}

#[test]
fn f5_the_service_is_mandatory_and_there_once() {
    for query in
        ["", "scope=repository:a:pull", "service=", "service=a&service=b", "service=a&service=a"]
    {
        assert_eq!(refused(get(query)).0, "service", "{query}");
    }
}

#[test]
fn a_single_valued_parameter_is_refused_twice() {
    for (query, field) in [
        ("service=s&account=a&account=b", "account"),
        ("service=s&offline_token=true&offline_token=false", "offline_token"),
        ("service=s&client_id=a&client_id=b", "client_id"),
    ] {
        assert_eq!(refused(get(query)).0, field);
    }
    let form = "grant_type=password&username=u&password=p&service=s";
    for field in ["grant_type", "username", "password", "service", "access_type", "client_id"] {
        let form = format!("{form}&{field}=x&{field}=y");
        assert_eq!(refused(post(&form)).0, field);
    }
}

#[test]
fn the_password_grant_is_understood() {
    let form = "grant_type=password&client_id=containerd-client&service=s&scope=repository:a:pull\
                &username=nginx-ci&password=a%2Bb%26c&access_type=offline";
    let asked = post(form).unwrap();
    let Presented::Basic { username, password } = asked.request.presented else { panic!() };
    assert_eq!((username.as_str(), password.expose()), ("nginx-ci", "a+b&c"));
    assert!(asked.request.offline && !asked.request.refresh_grant);
    assert_eq!(asked.reply, Reply::OAuth);
}

#[test]
fn the_refresh_grant_is_understood() {
    let asked = post("grant_type=refresh_token&refresh_token=dps_x&service=s").unwrap();
    let Presented::Bearer(token) = asked.request.presented else { panic!() };
    assert_eq!(token.secret().expose(), "dps_x");
    assert!(asked.request.refresh_grant);
    assert_eq!(asked.reply, Reply::OAuth);
}

const EXCHANGE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
                        &subject_token=a.b.c&audience=s";

fn exchange(rest: &str) -> Result<Asked, Malformed> {
    post(&format!("{EXCHANGE}&subject_token_type=urn:ietf:params:oauth:token-type:jwt{rest}"))
}

#[test]
fn a_token_exchange_is_understood() {
    let asked = exchange("&scope=repository:a:pull").unwrap();
    assert_eq!(asked.request.service, "s");
    assert!(matches!(asked.request.presented, Presented::Bearer(_)));
    assert_eq!(asked.reply, Reply::Exchange(ACCESS_TOKEN));
    let jwt = exchange("&requested_token_type=urn:ietf:params:oauth:token-type:jwt").unwrap();
    assert_eq!(jwt.reply, Reply::Exchange(JWT));
    for subject in ["id_token", "access_token"] {
        let kind = format!("&subject_token_type=urn:ietf:params:oauth:token-type:{subject}");
        assert!(post(&format!("{EXCHANGE}{kind}")).is_ok());
    }
}

#[test]
fn a_token_exchange_that_is_not_understood_whole_is_refused() {
    for (rest, field) in [
        ("&requested_token_type=urn:ietf:params:oauth:token-type:saml2", "requested_token_type"),
        ("&actor_token=x", "actor_token"),
        ("&resource=https://other", "resource"),
        ("&service=other", "service"),
        ("&audience=other", "audience"),
        ("&subject_token=x", "subject_token"),
    ] {
        assert_eq!(refused(exchange(rest)).0, field);
    }
    assert_eq!(refused(post(EXCHANGE)).0, "subject_token_type");
    let saml = format!("{EXCHANGE}&subject_token_type=urn:ietf:params:oauth:token-type:saml2");
    assert_eq!(refused(post(&saml)).0, "subject_token_type");
}

#[test]
fn an_unknown_or_missing_grant_is_refused_by_its_own_word() {
    assert_eq!(refused(post("service=s")), ("grant_type".to_owned(), "invalid_request"));
    for grant in ["authorization_code", "Password", "client_credentials"] {
        let form = format!("grant_type={grant}&service=s");
        assert_eq!(refused(post(&form)), ("grant_type".to_owned(), "unsupported_grant_type"));
    }
}

#[test]
fn h1_a_header_beside_a_form_and_two_credentials_in_a_form_are_refused() {
    let form = "grant_type=password&username=u&password=p&service=s";
    assert_eq!(refused(parse_post(form.as_bytes(), &basic())).0, "authorization");
    assert_eq!(refused(post(&format!("{form}&refresh_token=x"))).0, "refresh_token");
    let refresh = "grant_type=refresh_token&refresh_token=x&service=s&password=p";
    assert_eq!(refused(post(refresh)).0, "password");
}

#[test]
fn secrets_of_a_request_do_not_print() {
    let asked = post("grant_type=password&username=u&password=hunter2&service=s").unwrap();
    assert!(!format!("{asked:?}").contains("hunter2"));
    let malformed =
        post("grant_type=password&password=hunter2&password=hunter2&username=u").unwrap_err();
    assert!(!format!("{malformed:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn no_bytes_bring_the_parsers_down(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let query = String::from_utf8_lossy(&bytes);
        for result in [parse_post(&bytes, &HeaderMap::new()), get(&query)] {
            match result {
                Ok(asked) => prop_assert!(!asked.request.service.is_empty()),
                Err(malformed) => prop_assert!(!malformed.violation.field.is_empty()),
            }
        }
    }

    #[test]
    fn f1_no_form_gives_a_permission_that_its_scopes_do_not_name(
        name in "[a-z]{1,3}", action in "pull|push|delete", noise in "(&[a-z_]{1,8}=[a-zA-Z0-9:*/%]{0,12}){0,4}",
    ) {
        let form = format!("grant_type=refresh_token&refresh_token=x&service=s&scope=repository:{name}:{action}{noise}");
        let Ok(asked) = post(&form) else { return Ok(()) };
        prop_assert_eq!(asked.request.permissions.len(), 1);
        prop_assert_eq!(super::super::scope::format_scopes(&asked.request.permissions), format!("repository:{name}:{action}"));
    }
}
