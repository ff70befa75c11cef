//! Forms, by tables: pages that show only what is escaped, and submissions that fit their form or say where they do not.

use millrace_model::Item;

use super::{Completion, Ending, File, Form, Page, Shown, completion_page, ending_page, form_page, submitted};
use crate::testing::json;

fn form(fields: &str, more: &str) -> Form {
    let text =
        format!(r#"{{"formTitle": "T <b>", "formDescription": "D", "formFields": {{"values": {fields}}}{more}}}"#);
    Form::read(json(&text).as_object().unwrap())
}

const FIELDS: &str = r#"[
    {"fieldLabel": "Name", "requiredField": true}, {"fieldLabel": "Age", "fieldType": "number"},
    {"fieldLabel": "Mail", "fieldType": "email"}, {"fieldLabel": "Day", "fieldType": "date"},
    {"fieldLabel": "Pick", "fieldType": "dropdown", "fieldOptions": {"values": [{"option": "a"}, {"option": "b"}]}},
    {"fieldLabel": "Many", "fieldType": "checkbox", "fieldOptions": {"values": [{"option": "x"}, {"option": "y"}]}},
    {"fieldType": "hiddenField", "fieldName": "src", "fieldValue": "web"},
    {"fieldType": "html", "html": "<script>alert(1)</script>"},
    {"fieldLabel": "Doc", "fieldType": "file"}]"#;

#[test]
fn pages_show_the_fields_and_escape_everything() {
    let page = form_page(&form(FIELDS, ""), Page::default());
    for part in [
        "<h1>T &lt;b&gt;</h1>",
        "name=\"field-0\"",
        "type=\"number\"",
        "type=\"email\"",
        "<option value=\"a\">a</option>",
        "type=\"checkbox\" name=\"field-5\" value=\"y\"",
        "type=\"hidden\" name=\"field-6\" value=\"web\"",
        "&lt;script&gt;",
        "type=\"file\"",
        "<button type=\"submit\">Submit</button>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<script"), "{page}");
    assert!(completion_page("<i>", "{{ 1 + 1 }}").contains("&lt;i&gt;</h1><p>{{ 1 + 1 }}</p>"), "nothing is evaluated");
}

#[test]
fn submissions_become_items() {
    let files = Item::from_value(&json(
        r#"{"json": {}, "binary": {"field-8": {"data": "aGk=", "mimeType": "text/plain", "fileName": "a.txt"}, "field-80": {"data": "", "mimeType": "x", "fileName": "y"}}}"#,
    ));
    let body = json(
        r#"{"field-0": "Ann", "field-1": "7.5", "field-2": "a@b.org", "field-3": "2024-05-06", "field-4": "b", "field-5": ["x", "y"], "field-6": "forged", "other": 1}"#,
    );
    let item = submitted(&form(FIELDS, ""), &body, files.binary.as_ref(), "2024-05-06T07:08:09Z").unwrap();
    assert_eq!(
        item.json.to_json(),
        r#"{"Name":"Ann","Age":7.5,"Mail":"a@b.org","Day":"2024-05-06","Pick":"b","Many":["x","y"],"src":"web","Doc":{"filename":"a.txt","mimetype":"text/plain","size":null},"submittedAt":"2024-05-06T07:08:09Z","formMode":"production"}"#
    );
    assert_eq!(item.binary.unwrap().keys().map(|key| key.to_string()).collect::<Vec<_>>(), ["Doc"]);
    let empty = submitted(&form(FIELDS, ""), &json(r#"{"field-0": "A"}"#), None, "now").unwrap();
    assert!(empty.json.to_json().contains(r#""Age":null,"Mail":"","Day":null,"Pick":null,"Many":[]"#), "{empty:?}");
}

#[test]
fn what_does_not_fit_is_named() {
    for (body, field, message) in [
        ("{}", 0, "This field is required"),
        (r#"{"field-0": "A", "field-1": "many"}"#, 1, "\"many\" is not a number"),
        (r#"{"field-0": "A", "field-2": "a b@c"}"#, 2, "\"a b@c\" is not an e-mail address"),
        (r#"{"field-0": "A", "field-3": "06.05."}"#, 3, "\"06.05.\" is not a date"),
        (r#"{"field-0": "A", "field-4": "c"}"#, 4, "\"c\" is not one of the options"),
        (r#"{"field-0": "A", "field-5": ["x", "z"]}"#, 5, "\"z\" is not one of the options"),
    ] {
        let errors = submitted(&form(FIELDS, ""), &json(body), None, "now").unwrap_err();
        assert_eq!((errors[0].field, errors[0].message.as_str()), (field, message), "{body}");
        assert!(
            form_page(&form(FIELDS, ""), Page { errors: &errors, ..Page::default() }).contains("role=\"alert\""),
            "{body}"
        );
    }
}

#[test]
fn completion_is_a_text_or_a_redirect_to_the_web() {
    let with = |values: &str| {
        form("[]", &format!(r#", "options": {{"respondWithOptions": {{"values": {values}}}}}"#)).completion
    };
    let to = |url: &str| with(&format!(r#"{{"respondWith": "redirect", "redirectUrl": "{url}"}}"#));
    assert_eq!(to("https://a.org/x"), Completion::Redirect("https://a.org/x".into()));
    assert_eq!(to("javascript:alert(1)"), Completion::default());
    assert_eq!(with(r#"{"respondWith": "text", "formSubmittedText": "Thanks"}"#), Completion::Text("Thanks".into()));
}

#[test]
fn fields_begin_with_their_defaults_and_with_what_the_address_says() {
    let fields = r#"[{"fieldLabel": "Name", "defaultValue": "Bob"}, {"fieldLabel": "Age", "fieldType": "number"},
        {"fieldLabel": "Pick", "fieldType": "radio", "defaultValue": "b", "fieldOptions": {"values": [{"option": "a"}, {"option": "b"}]}},
        {"fieldLabel": "Many", "fieldType": "checkbox", "defaultValue": "x, y", "fieldOptions": {"values": [{"option": "x"}, {"option": "y"}]}},
        {"fieldType": "hiddenField", "fieldName": "src", "fieldValue": "web"}]"#;
    let filled = json(r#"{"Age": "7\"", "src": "forged"}"#);
    let shown = Page { filled: filled.as_object(), ticket: Some("3-0"), ..Page::default() };
    let page = form_page(&form(fields, ""), shown);
    for part in [
        "name=\"field-0\" placeholder=\"\" value=\"Bob\"",
        "value=\"7&quot;\"",
        "value=\"b\" checked> b",
        "value=\"a\"> a",
        "value=\"x\" checked> x",
        "value=\"y\" checked> y",
        "name=\"field-4\" value=\"web\"",
        "name=\"form-page\" value=\"3-0\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn choices_are_counted_and_files_have_the_types_that_are_taken() {
    let fields = r#"[{"fieldLabel": "Two", "fieldType": "checkbox", "limitSelection": "exact", "numberOfSelections": 2, "fieldOptions": {"values": [{"option": "a"}, {"option": "b"}, {"option": "c"}]}},
        {"fieldLabel": "Doc", "fieldType": "file", "acceptFileTypes": ".PDF, txt", "multipleFiles": false}]"#;
    let try_out = |body: &str, file: &str| {
        let file = format!(
            r#"{{"json": {{}}, "binary": {{"field-1": {{"data": "", "mimeType": "x", "fileName": "{file}"}}}}}}"#
        );
        submitted(&form(fields, ""), &json(body), Item::from_value(&json(&file)).binary.as_ref(), "now")
    };
    assert_eq!(try_out(r#"{"field-0": ["a", "b"]}"#, "a.TXT").unwrap().json.get("Two"), Some(&json(r#"["a", "b"]"#)));
    for (body, file, field, message) in [
        (r#"{"field-0": "a"}"#, "a.pdf", 0, "Choose 2 of the options"),
        (r#"{"field-0": ["a", "b", "c"]}"#, "a.pdf", 0, "Choose 2 of the options"),
        (r#"{"field-0": ["a", "b"]}"#, "a.exe", 1, "\"a.exe\" is not one of the file types .pdf, .txt"),
    ] {
        let errors = try_out(body, file).unwrap_err();
        assert_eq!((errors[0].field, errors[0].message.as_str()), (field, message), "{body}");
    }
}

#[test]
fn endings_show_text_and_files_and_escape_both() {
    let shown = json(
        r#"{"ending": "text", "title": "T <i>", "message": "M", "file": {"name": "a\".txt", "type": "text/plain", "data": "aGk="}}"#,
    );
    let Shown::Ending(Ending::Text { title, message, file }) = Shown::read(shown.as_object().unwrap()) else {
        panic!()
    };
    let page = ending_page(&title, &message, file.as_ref());
    assert!(page.contains("T &lt;i&gt;") && page.contains("download=\"a&quot;.txt\""), "{page}");
    assert!(page.contains("href=\"data:text/plain;base64,aGk=\""), "{page}");
    assert_eq!(file, Some(File { name: "a\".txt".into(), media_type: "text/plain".into(), data: "aGk=".into() }));
}
