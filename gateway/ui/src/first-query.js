// What the editor shows to someone who has typed nothing yet: a query of the shop that comes
// with Weir, over three REST services, one that speaks GraphQL, and resolvers in Rust.

export const firstQuery = `# Orders, their customers and their products, what is thought of
# these, and what shipping costs: four services, one call to each,
# and resolvers in Rust.
# Ctrl-Enter runs it; the book has the docs.

{
  orders(first: 50) {
    nodes {
      id
      status
      shippingEstimate {
        amount
        currency
      }
      customer {
        id
        name
        email
      }
      items {
        quantity
        product {
          id
          name
          price {
            amount
            currency
          }
          averageRating
          reviewCount
        }
      }
    }
  }
}
`;
