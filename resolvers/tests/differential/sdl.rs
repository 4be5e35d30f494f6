//! A model as SDL: of each subgraph, for the linker and for its service, and of the whole graph for
//! clients.

use std::fmt::Write;
use std::sync::Arc;

use crate::model::{
    Argument, Availability, Context, Field, Home, HomeField, Kind, Label, Model, Name, Pick, Rest,
    Type, set,
};

/// The reader that a subgraph is printed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// The linker: with federation directives.
    Linker,
    /// The service itself: with `_entities`.
    Service,
}

/// The SDL of one subgraph.
pub(crate) fn subgraph(model: &Model, name: &str, reader: Reader) -> String {
    let mut text = match reader {
        Reader::Linker if model.is_rest(name) => REST_HEADER.to_owned(),
        Reader::Linker if model.legacy.iter().any(|it| **it == *name) => String::new(),
        Reader::Linker => HEADER.to_owned(),
        Reader::Service => SERVICE.to_owned(),
    };
    text.push_str(LEAVES);
    let printer = Printer {
        model,
        name,
        reader,
    };
    for (type_name, ty) in &model.types {
        if let Some(home) = ty.homes.get(name) {
            printer.ty((type_name, ty), home, &mut text);
        }
    }
    if reader == Reader::Service {
        printer.entities(&mut text);
    }
    text
}

/// The SDL of the whole graph, for clients.
pub(crate) fn whole(model: &Model) -> String {
    let mut text = LEAVES.to_owned();
    for (name, ty) in &model.types {
        let members = model.members(name);
        if ty.kind == Kind::Union && !members.is_empty() {
            union(name, &members, &mut text);
        }
        let fields = model.visible(name);
        if fields.is_empty() || ty.homes.is_empty() {
            continue;
        }
        let interfaces = model.interfaces(name, None);
        opening(name, ty.kind, &interfaces, &mut text);
        text.push_str(" {\n");
        for field_name in fields {
            let field = &ty.fields[field_name];
            let stricter = model.is_stricter_everywhere(name, field_name);
            declared((field_name, field, ""), stricter, &mut text);
            text.push('\n');
        }
        text.push_str("}\n");
    }
    text
}

/// The SDL without the definitions that all subgraphs have.
pub(crate) fn brief(sdl: &str) -> String {
    sdl.replace(HEADER, "")
        .replace(REST_HEADER, "")
        .replace(LEAVES, "")
}

struct Printer<'a> {
    model: &'a Model,
    name: &'a str,
    reader: Reader,
}

impl Printer<'_> {
    fn ty(&self, (name, ty): (&Name, &Type), home: &Home, text: &mut String) {
        if ty.kind == Kind::Union {
            union(name, &home.members, text);
            return;
        }
        let kind = if home.is_interface_object {
            Kind::Entity
        } else {
            ty.kind
        };
        let interfaces = self.model.interfaces(name, Some(self.name));
        if self.is_extension(ty) {
            text.push_str("extend ");
        }
        opening(name, kind, &interfaces, text);
        self.directives((name, ty), home, text);
        text.push_str(" {\n");
        if kind == Kind::Interface {
            for field_name in self.model.interface_fields(name, self.name) {
                declared((field_name, &ty.fields[field_name], ""), false, text);
                text.push('\n');
            }
        }
        for (field_name, home_field) in &home.fields {
            let mut here = ty.fields[field_name].clone();
            if let Some(narrower) = &home_field.narrower {
                here.ty.named = Arc::clone(narrower);
            }
            let context = self.context(&here);
            declared((field_name, &here, &context), home_field.is_stricter, text);
            let field = &ty.fields[field_name];
            if self.reader == Reader::Linker {
                self.field_directives((name, ty), (field_name, field), home_field, text);
                text.push_str(&self.root_connector(ty, (field_name, field)));
            }
            text.push('\n');
        }
        text.push_str("}\n");
    }

    /// The argument of a field that an ancestor gives.
    fn context(&self, field: &Field) -> String {
        match (&field.context, self.reader) {
            (None, _) => String::new(),
            (Some(_), Reader::Service) => "from: String".to_owned(),
            (Some(Context { owner, field }), Reader::Linker) => format!(
                "from: String @fromContext(field: \"${} {{ {field} }}\")",
                owner.to_lowercase()
            ),
        }
    }

    fn is_legacy(&self) -> bool {
        self.reader == Reader::Linker && self.model.legacy.iter().any(|it| **it == *self.name)
    }

    /// Whether the type is written as an extension, as in federation 1.
    fn is_extension(&self, ty: &Type) -> bool {
        let first = ty.homes.keys().next();
        self.is_legacy()
            && ty.kind == Kind::Entity
            && first.is_some_and(|first| **first != *self.name)
    }

    fn directives(&self, (name, ty): (&Name, &Type), home: &Home, text: &mut String) {
        if self.reader == Reader::Service {
            return;
        }
        for key in &home.keys {
            let resolvable = if key.resolvable {
                ""
            } else {
                ", resolvable: false"
            };
            let fields = set(&ty.keys[key.index]);
            let _ = write!(text, " @key(fields: \"{fields}\"{resolvable})");
        }
        if home.is_interface_object {
            text.push_str(" @interfaceObject");
        }
        if let (Some(rest), Kind::Entity) = (self.rest(), ty.kind) {
            let _ = write!(text, " {}", connector(name, home, rest));
        }
        if self.is_context_here(name) {
            let _ = write!(text, " @context(name: \"{}\")", name.to_lowercase());
        }
    }

    /// The connectors of this subgraph.
    fn rest(&self) -> Option<&Rest> {
        let rest = self.model.rest.as_ref();
        rest.filter(|rest| *rest.subgraph == *self.name && self.reader == Reader::Linker)
    }

    /// The connector of a root field.
    fn root_connector(&self, ty: &Type, (name, field): (&Name, &Field)) -> String {
        let (Some(_), Kind::Root) = (self.rest(), ty.kind) else {
            return String::new();
        };
        let home = self.model.home(&field.ty.named, self.name);
        let selection = home.map(selection).unwrap_or_default();
        format!(
            " @connect(source: \"api\", http: {{ GET: \"/Query/{name}\" }}, selection: \"{selection}\")"
        )
    }

    /// Whether a field of this subgraph has an argument that objects of the type give.
    fn is_context_here(&self, owner: &Name) -> bool {
        self.model.types.values().any(|ty| {
            let here = ty.homes.get(self.name).into_iter();
            let mut fields = here.flat_map(|home| home.fields.keys());
            fields.any(|field| {
                let context = ty.fields[field].context.as_ref();
                context.is_some_and(|context| context.owner == *owner)
            })
        })
    }

    fn field_directives(
        &self,
        (name, ty): (&Name, &Type),
        (field_name, field): (&Name, &Field),
        home_field: &HomeField,
        text: &mut String,
    ) {
        let keys = &ty.homes[self.name].keys;
        let is_key = keys
            .iter()
            .any(|key| names(&ty.keys[key.index], field_name));
        if home_field.availability == Availability::External || is_key && self.is_extension(ty) {
            text.push_str(" @external");
            return;
        }
        if field.is_hidden && !self.is_legacy() {
            text.push_str(" @inaccessible");
        }
        // A `@provides` may name an external field, and its owner must share it then.
        let is_shared = self.model.subgraphs_of(name, field_name).len() > 1
            || self.model.is_external(name, field_name);
        if !is_key && !self.is_legacy() && is_shared {
            text.push_str(" @shareable");
        }
        if home_field.availability == Availability::Overridden && home_field.overrides.is_none() {
            return;
        }
        if !field.requires.is_empty() {
            let _ = write!(text, " @requires(fields: \"{}\")", set(&field.requires));
        }
        if !home_field.provides.is_empty() {
            let _ = write!(
                text,
                " @provides(fields: \"{}\")",
                set(&home_field.provides)
            );
        }
        if let Some(from) = &home_field.overrides {
            let label = match home_field.label {
                Some(Label::On) => ", label: \"on\"",
                Some(Label::Off) => ", label: \"off\"",
                None => "",
            };
            let _ = write!(text, " @override(from: \"{from}\"{label})");
        }
    }

    fn entities(&self, text: &mut String) {
        let types = self.model.types.iter();
        let entities: Vec<&str> = types
            .filter(|(_, ty)| {
                ty.homes.get(self.name).is_some_and(|home| {
                    (ty.kind == Kind::Entity || home.is_interface_object)
                        && home.keys.iter().any(|key| key.resolvable)
                })
            })
            .map(|(name, _)| &**name)
            .collect();
        let root = if self.model.home("Query", self.name).is_some() {
            "extend type Query"
        } else {
            "type Query"
        };
        let _ = writeln!(text, "{root} {{\n  _service: String");
        if entities.is_empty() {
            text.push_str("}\n");
            return;
        }
        text.push_str("  _entities(representations: [_Any!]!): [_Entity]!\n}\n");
        let _ = writeln!(text, "union _Entity = {}", entities.join(" | "));
    }
}

/// The connector of an entity.
fn connector(name: &str, home: &Home, rest: &Rest) -> String {
    let selection = selection(home);
    if rest.is_batch {
        return format!(
            "@connect(source: \"api\", http: {{ GET: \"/{name}\", queryParams: \"id: $batch.id\" }}, selection: \"{selection}\")"
        );
    }
    format!(
        "@connect(source: \"api\", http: {{ GET: \"/{name}/{{$this.id}}\" }}, selection: \"{selection}\")"
    )
}

/// The selection of all fields of an object.
fn selection(home: &Home) -> String {
    let names = home.fields.keys().map(ToString::to_string);
    names.collect::<Vec<_>>().join(" ")
}

fn names(key: &[Pick], field: &str) -> bool {
    key.iter().any(|pick| *pick.field == *field)
}

fn opening(name: &str, kind: Kind, interfaces: &[&Name], text: &mut String) {
    let word = match kind {
        Kind::Interface => "interface",
        _ => "type",
    };
    let _ = write!(text, "{word} {name}");
    for (index, interface) in interfaces.iter().enumerate() {
        let before = if index == 0 { "implements" } else { "&" };
        let _ = write!(text, " {before} {interface}");
    }
}

fn union(name: &str, members: &[Name], text: &mut String) {
    let _ = writeln!(text, "union {name} = {}", members.join(" | "));
}

/// Writes a field as `  name(argument: Int = 1): Type`.
///
/// `context` is an argument that clients do not see.
fn declared((name, field, context): (&str, &Field, &str), is_stricter: bool, text: &mut String) {
    let ty = if is_stricter {
        field.ty.stricter()
    } else {
        field.ty.clone()
    };
    let mut arguments: Vec<String> = field.arguments.iter().map(argument).collect();
    if !context.is_empty() {
        arguments.push(context.to_owned());
    }
    let arguments = if arguments.is_empty() {
        String::new()
    } else {
        format!("({})", arguments.join(", "))
    };
    let _ = write!(text, "  {name}{arguments}: {ty}");
}

fn argument((name, argument): (&Name, &Argument)) -> String {
    match &argument.default {
        Some(default) => format!("{name}: {} = {}", argument.ty, default.text),
        None => format!("{name}: {}", argument.ty),
    }
}

const HEADER: &str = r#"extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.9"
  import: ["@key", "@requires", "@provides", "@external", "@shareable", "@override", "@interfaceObject", "@inaccessible", "@context", "@fromContext"]
)
"#;
const REST_HEADER: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9" import: ["@key", "@external", "@shareable", "@inaccessible"])
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
  @source(name: "api", http: { baseURL: "http://127.0.0.1:1/" })
"#;
const SERVICE: &str = "scalar _Any\n";
const LEAVES: &str = "enum Color { RED GREEN BLUE }\nscalar Json\ninput Filter { most: Int = 3, words: [String!] }\n";
