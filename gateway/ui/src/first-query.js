// What the editor shows to someone who has typed nothing yet: a query of the shop that comes
// with Weir, over three services.

export const firstQuery = `# Orders, their customers and their products:
# three services, one call to each.
# Ctrl-Enter runs it; the book has the docs.

{
  orders(first: 50) {
    nodes {
      id
      status
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
        }
      }
    }
  }
}
`;
