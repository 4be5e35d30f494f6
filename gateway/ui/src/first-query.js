// The first content of the editor: an operation on the demo that uses three REST services, a
// GraphQL subgraph, and resolvers in Rust.

export const firstQuery = `# Orders with customers, products, ratings and shipping costs:
# one call to each of four services, and resolvers in Rust.
# Press Ctrl-Enter to run it; the book icon opens the docs.

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
