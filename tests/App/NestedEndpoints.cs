namespace SessionActors.TestApp;

/// <summary>What the tests of changes inside a property ask for: a cart that is one property, changed by requests that are held.</summary>
internal static class NestedEndpoints
{
    public static void MapNested(this WebApplication app)
    {
        app.MapGet("/nested/new", (HttpContext http) => http.GetActorSession().Set("cart", new NestedCart
        {
            Items = [new("tea") { Quantity = 1 }, new("milk") { Quantity = 1 }, new("jam") { Quantity = 1 }],
            Address = new() { Street = "Main Street" },
        }));

        // Reads the cart, waits for the test, then changes it. Where the commit is refused, says over what.
        app.MapGet("/nested/{gate}/{what}", async (
            HttpContext http, Gates gates, string gate, string what, string? value, int index, bool caught) =>
        {
            var session = http.GetActorSession();
            var cart = session.Get<NestedCart>("cart")!;
            await gates.PassAsync(gate, http.RequestAborted);
            switch (what)
            {
                case "coupon": cart.Coupon = value; break;
                case "quantity": cart.Items[index].Quantity = int.Parse(value!, null); break;
                case "add": cart.Items.Add(new(value!)); break;
                case "remove": cart.Items.RemoveAt(index); break;
                case "street": cart.Address!.Street = value; break;
                case "no-address": cart.Address = null; break;
                case "mutate":
                    cart.Coupon = value;
                    return "mutated";
            }

            session.Set("cart", cart);
            if (!caught)
            {
                return "changed";
            }

            try
            {
                await session.CommitAsync();
                return "committed";
            }
            catch (SessionConflictException e)
            {
                session.Forget();
                return $"conflict over {string.Join(' ', e.Properties)}";
            }
        });
        app.MapGet("/nested", (HttpContext http) =>
        {
            var cart = http.GetActorSession().Get<NestedCart>("cart");
            return cart is null ? "-" : $"{string.Join(' ', cart.Items.Select(item => $"{item.Sku}:{item.Quantity}"))} "
                + $"{cart.Coupon ?? "-"} {cart.Address?.Street ?? "-"}";
        });
    }

    private sealed class NestedCart
    {
        public string? Coupon { get; set; }

        public List<NestedItem> Items { get; set; } = [];

        public NestedAddress? Address { get; set; }
    }

    private sealed class NestedItem(string sku)
    {
        public string Sku { get; } = sku;

        public int Quantity { get; set; } = 1;
    }

    private sealed class NestedAddress
    {
        public string? Street { get; set; }
    }
}
