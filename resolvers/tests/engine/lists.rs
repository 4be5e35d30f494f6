//! Lists of objects are read faster than one object after another; the result must be the same.

use bytes::Bytes;
use proptest::prelude::{Just, Strategy, prop, prop_assert_eq, prop_oneof, proptest};
use resolvers::bench::BenchOperation;

use crate::support::{graph, settings};

const SDL: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
    type Query {
      items: [Item] @connect(http: { GET: "http://127.0.0.1/items" }, selection: """
        $.items { id label: name price: cost.amount tags parts { n id } first: tags->first }
      """)
      item: Item @connect(http: { GET: "http://127.0.0.1/item" }, selection: """
        $.item { id label: name price: cost.amount tags parts { n id } first: tags->first }
      """)
    }
    type Item { id: ID label: String price: Int tags: [String] parts: [Part] first: String }
    type Part { n: Int id: ID }
"#;

/// Selections of plain keys, and with a part that is evaluated.
const SELECTIONS: [&str; 2] = [
    "id label price tags parts { n id }",
    "price id first parts { id }",
];

/// A field of `Query`, and its compiled response program.
struct Field {
    field: &'static str,
    operation: BenchOperation,
}

impl Field {
    fn new(field: &'static str, fields: &str) -> Self {
        let query = format!("{{ {field} {{ {fields} }} }}");
        let operation = BenchOperation::new(&graph(&[("g", SDL)]), &settings(), &query);
        Self {
            field,
            operation: operation.unwrap(),
        }
    }

    fn data(&self, text: &str) -> String {
        let body = format!(r#"{{"{}":{text}}}"#, self.field);
        let mut out = Vec::new();
        // False if a part is null by an error, which some are.
        self.operation.write_data(Bytes::from(body), &mut out);
        let out = String::from_utf8(out).unwrap();
        let value = out.strip_prefix(&format!(r#"{{"{}":"#, self.field));
        value.unwrap().strip_suffix('}').unwrap().to_owned()
    }
}

#[test]
fn members_may_be_in_any_order_and_repeated_and_elements_no_objects() {
    let items = r#"[
        {"id":1,"name":"a","cost":{"amount":5}},
        {"id":2,"name":"b","cost":{"amount":6}},
        {"name":"c","id":3},
        {"id":4,"id":5,"name":null},
        7, null, "text", [{"id":6}], {},
        {"cost":{"amount":8,"amount":9},"name":"d","id":null},
        {"id":7,"n\u0061me":"e","cost":null,"cost":{"amount":10}},
        {"id":8,"name":"f","cost":{"amount":11},"name":null}
    ]"#;

    let data = Field::new("items", "id label price").data(items);

    let expected = [
        r#"{"id":"1","label":"a","price":5}"#,
        r#"{"id":"2","label":"b","price":6}"#,
        r#"{"id":"3","label":"c","price":null}"#,
        r#"{"id":"5","label":null,"price":null}"#,
        "null,null,null,null",
        r#"{"id":null,"label":null,"price":null}"#,
        r#"{"id":null,"label":"d","price":9}"#,
        r#"{"id":"7","label":"e","price":10}"#,
        r#"{"id":"8","label":null,"price":11}"#,
    ];
    assert_eq!(data, format!("[{}]", expected.join(",")));
}

const KEYS: &[&str] = &[
    "id",
    "name",
    "n\\u0061me",
    "cost",
    "tags",
    "parts",
    "n",
    "amount",
    "sku",
];

const SCALARS: &[&str] = &["1", "-2", "null", "true", "\"\"", "\"x\""];

/// Objects with members of an item and others, with and without nested lists of objects.
fn item() -> impl Strategy<Value = String> {
    let key = prop::sample::select(KEYS);
    let scalar = prop::sample::select(SCALARS).prop_map(str::to_owned);
    let value = scalar.prop_recursive(3, 24, 5, move |inner| {
        let members = prop::collection::vec((key.clone(), inner.clone()), 0..6);
        let object = members.prop_map(|members| {
            let members = members
                .iter()
                .map(|(key, value)| format!(r#""{key}":{value}"#));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
        let list =
            prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(",")));
        prop_oneof![4 => object, 1 => list]
    });
    let usual = r#"{"id":1,"name":"a","cost":{"amount":5},"tags":["t"],"parts":[{"n":1,"id":2}]}"#;
    prop_oneof![1 => Just(usual.to_owned()), 3 => value]
}

proptest! {
    #[test]
    fn a_list_has_the_data_of_its_elements_one_by_one(
        items in prop::collection::vec(item(), 0..6),
    ) {
        for fields in SELECTIONS {
            let list = Field::new("items", fields).data(&format!("[{}]", items.join(",")));
            let alone = Field::new("item", fields);
            let one_by_one: Vec<_> = items.iter().map(|item| alone.data(item)).collect();
            prop_assert_eq!(list, format!("[{}]", one_by_one.join(",")), "{:?}", items);
        }
    }
}
