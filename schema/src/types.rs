//! Types as clients see them: what there is, not who gives it.

use std::sync::Arc;

use indexmap::IndexMap;

/// A name out of a schema: of a type, field, argument, service.
pub type Name = Arc<str>;

/// All types of a graph, by id and by name.
#[derive(Clone, Debug, Default)]
pub struct Types {
    by_name: IndexMap<Name, Type>,
    pub(crate) query: Option<TypeId>,
    pub(crate) mutation: Option<TypeId>,
}

/// Which type of the graph that gave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub(crate) usize);

impl Types {
    /// The type with this id, which this graph gave out.
    pub fn get(&self, id: TypeId) -> &Type {
        &self.by_name[id.0]
    }

    /// The type of this name.
    pub fn find(&self, name: &str) -> Option<TypeId> {
        self.by_name.get_index_of(name).map(TypeId)
    }

    /// The root of queries.
    pub fn query(&self) -> Option<TypeId> {
        self.query
    }

    /// The root of mutations.
    pub fn mutation(&self) -> Option<TypeId> {
        self.mutation
    }

    /// All of them, in the order first met.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (TypeId, &Type)> {
        self.by_name
            .values()
            .enumerate()
            .map(|(index, value)| (TypeId(index), value))
    }

    /// Whether an object of type `object` is an `of`.
    pub fn is_a(&self, object: TypeId, of: TypeId) -> bool {
        self.get(of).possible_types.contains(&object)
    }

    pub(crate) fn add(&mut self, name: Name, value: Type) -> TypeId {
        TypeId(self.by_name.insert_full(name, value).0)
    }

    pub(crate) fn get_mut(&mut self, id: TypeId) -> &mut Type {
        &mut self.by_name[id.0]
    }
}

/// One type of the graph.
#[derive(Clone, Debug)]
pub struct Type {
    /// As the schema writes it.
    pub name: Name,
    /// What sort of type, and what that sort has.
    pub kind: TypeKind,
    /// The object types that a value of this type can have: itself for an object, none for a
    /// leaf. An interface that no type implements stands for objects of which only that is known.
    pub possible_types: Vec<TypeId>,
}

impl Type {
    /// The field of this name, for types that have fields.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields()?.get(name)
    }

    /// The fields, for types that have any.
    pub fn fields(&self) -> Option<&IndexMap<Name, Field>> {
        match &self.kind {
            TypeKind::Object(fields) | TypeKind::Interface(fields) => Some(fields),
            TypeKind::Scalar(_)
            | TypeKind::Enum(_)
            | TypeKind::Union
            | TypeKind::InputObject(_) => None,
        }
    }

    /// Whether a selection of this type has fields of its own.
    pub fn is_composite(&self) -> bool {
        matches!(
            self.kind,
            TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union
        )
    }

    /// Whether its values may be of several object types.
    pub fn is_abstract(&self) -> bool {
        matches!(self.kind, TypeKind::Interface(_) | TypeKind::Union)
    }
}

/// Sorts of types.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// A leaf with values of this form.
    Scalar(Scalar),
    /// A leaf with one of these values.
    Enum(Vec<Name>),
    /// An object.
    Object(IndexMap<Name, Field>),
    /// An interface.
    Interface(IndexMap<Name, Field>),
    /// A union.
    Union,
    /// An input object.
    InputObject(IndexMap<Name, ArgumentDefinition>),
}

/// Forms of leaf values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// 32 bits, signed.
    Int,
    /// Any finite number.
    Float,
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// Text or integer, given to clients as text.
    Id,
    /// Any JSON.
    Custom,
}

impl Scalar {
    /// The form of the scalar type of this name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "Int" => Self::Int,
            "Float" => Self::Float,
            "String" => Self::String,
            "Boolean" => Self::Boolean,
            "ID" => Self::Id,
            _ => Self::Custom,
        }
    }
}

/// A field of an object or interface.
#[derive(Clone, Debug)]
pub struct Field {
    /// As the schema writes it.
    pub name: Name,
    /// What it gives.
    pub ty: TypeRef,
    /// In the order of the schema.
    pub arguments: IndexMap<Name, ArgumentDefinition>,
}

/// An argument of a field, or a field of an input object.
#[derive(Clone, Debug)]
pub struct ArgumentDefinition {
    /// What it takes.
    pub ty: TypeRef,
    /// Its value when none is written, already of the right form.
    pub default: Option<Constant>,
}

/// A type with its lists and non-nulls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeRef {
    /// A named type.
    Named(TypeId, Nullability),
    /// A list.
    List(Box<Self>, Nullability),
}

/// Whether null is a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nullability {
    /// `T`.
    Nullable,
    /// `T!`.
    NonNull,
}

impl TypeRef {
    /// The type inside all lists.
    pub fn named_type(&self) -> TypeId {
        match self {
            Self::Named(id, _) => *id,
            Self::List(inner, _) => inner.named_type(),
        }
    }

    /// Whether null is a value, at the outermost level.
    pub fn nullability(&self) -> Nullability {
        match self {
            Self::Named(_, nullability) | Self::List(_, nullability) => *nullability,
        }
    }

    /// How many lists are around the type inside.
    pub fn list_depth(&self) -> usize {
        match self {
            Self::Named(..) => 0,
            Self::List(inner, _) => 1 + inner.list_depth(),
        }
    }

    /// As the schema writes it.
    pub fn display(&self, types: &Types) -> String {
        let (text, nullability) = match self {
            Self::Named(id, nullability) => (types.get(*id).name.to_string(), nullability),
            Self::List(inner, nullability) => (format!("[{}]", inner.display(types)), nullability),
        };
        match nullability {
            Nullability::Nullable => text,
            Nullability::NonNull => text + "!",
        }
    }
}

/// A value that is known: a default, a literal, a coerced variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Constant {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, as JSON writes it.
    Number(String),
    /// Text; enum values too.
    String(String),
    /// A list.
    List(Vec<Self>),
    /// An object, in the order written.
    Object(Vec<(Name, Self)>),
}
