//! The types of a graph as clients see them, without the sources that provide their fields.

use std::sync::Arc;

use indexmap::IndexMap;

/// A name in a schema: of a type, field, argument or subgraph.
pub type Name = Arc<str>;

/// The types of a graph, indexed by id and by name.
#[derive(Clone, Debug, Default)]
pub struct Types {
    by_name: IndexMap<Name, Type>,
    pub(crate) query: Option<TypeId>,
    pub(crate) mutation: Option<TypeId>,
}

/// The index of a type in the `Types` of its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub(crate) usize);

impl Types {
    /// The type with this id, which must be of this graph.
    pub fn get(&self, id: TypeId) -> &Type {
        &self.by_name[id.0]
    }

    /// The id of the type called `name`.
    pub fn find(&self, name: &str) -> Option<TypeId> {
        self.by_name.get_index_of(name).map(TypeId)
    }

    /// The query root type.
    pub fn query(&self) -> Option<TypeId> {
        self.query
    }

    /// The mutation root type.
    pub fn mutation(&self) -> Option<TypeId> {
        self.mutation
    }

    /// The types in order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (TypeId, &Type)> {
        self.by_name
            .values()
            .enumerate()
            .map(|(index, value)| (TypeId(index), value))
    }

    /// A type, and for an abstract one its possible types.
    pub fn with_possible_types(&self, ty: TypeId) -> impl Iterator<Item = TypeId> {
        let possible = self.get(ty).possible_types.iter().copied();
        std::iter::once(ty).chain(possible.filter(move |possible| *possible != ty))
    }

    /// Whether `object` is a possible type of `ty`.
    pub fn is_a(&self, object: TypeId, ty: TypeId) -> bool {
        self.get(ty).possible_types.contains(&object)
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
    /// The type's name.
    pub name: Name,
    /// The kind of type with its fields or values.
    pub kind: TypeKind,
    /// The object types that a value of this type can have: itself for an object, none for a
    /// leaf. An interface without implementing types represents objects of an unknown type.
    pub possible_types: Vec<TypeId>,
}

impl Type {
    /// The field called `name`; `None` for types without fields.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields()?.get(name)
    }

    /// The fields of an object or interface type.
    pub fn fields(&self) -> Option<&IndexMap<Name, Field>> {
        match &self.kind {
            TypeKind::Object(fields) | TypeKind::Interface(fields) => Some(fields),
            TypeKind::Scalar(_)
            | TypeKind::Enum(_)
            | TypeKind::Union
            | TypeKind::InputObject(_) => None,
        }
    }

    /// Whether the type needs a selection set: objects, interfaces and unions.
    pub fn is_composite(&self) -> bool {
        matches!(
            self.kind,
            TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union
        )
    }

    /// Whether its values may be of several object types: interfaces and unions.
    pub fn is_abstract(&self) -> bool {
        matches!(self.kind, TypeKind::Interface(_) | TypeKind::Union)
    }
}

/// The kinds of types (GraphQL §3.4).
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// A scalar with the form of its values.
    Scalar(Scalar),
    /// An enum with its values.
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

/// The form of a scalar's values.
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
    /// Text or integer, serialized as text.
    Id,
    /// Any JSON.
    Custom,
}

impl Scalar {
    /// The form of the scalar type called `name`.
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
    /// The field's name.
    pub name: Name,
    /// The type of its value.
    pub ty: TypeRef,
    /// The arguments in schema order.
    pub arguments: IndexMap<Name, ArgumentDefinition>,
}

/// An argument of a field, or a field of an input object.
#[derive(Clone, Debug)]
pub struct ArgumentDefinition {
    /// The type of its value.
    pub ty: TypeRef,
    /// The default value, already coerced to the type.
    pub default: Option<Constant>,
}

/// A type reference with its list and non-null wrappers.
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
    /// The named type inside all lists.
    pub fn named_type(&self) -> TypeId {
        match self {
            Self::Named(id, _) => *id,
            Self::List(inner, _) => inner.named_type(),
        }
    }

    /// The nullability of the outermost level.
    pub fn nullability(&self) -> Nullability {
        match self {
            Self::Named(_, nullability) | Self::List(_, nullability) => *nullability,
        }
    }

    /// The number of lists around the named type.
    pub fn list_depth(&self) -> usize {
        match self {
            Self::Named(..) => 0,
            Self::List(inner, _) => 1 + inner.list_depth(),
        }
    }

    /// The type in GraphQL syntax: `[Int!]!`.
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

/// A constant value: a default, a literal or a coerced variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Constant {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number as JSON text.
    Number(String),
    /// A string or an enum value.
    String(String),
    /// A list.
    List(Vec<Self>),
    /// An object; members in source order.
    Object(Vec<(Name, Self)>),
}
