namespace SessionActors.Cart;

/// <summary>Something the shop sells.</summary>
internal sealed record Article(string Sku, string Name, string Picture, decimal Price)
{
    public static readonly Article[] All =
    [
        new("tea", "Darjeeling, first flush, 100 g", "🍵", 12.50m),
        new("mug", "Stoneware mug", "☕", 14.00m),
        new("pot", "Cast-iron teapot", "🫖", 48.00m),
        new("honey", "Lime-blossom honey, 250 g", "🍯", 6.80m),
        new("cake", "Lemon cake", "🍰", 9.20m),
        new("biscuit", "Ginger biscuits", "🍪", 3.90m),
    ];

    public static Article? Find(string sku) => Array.Find(All, article => article.Sku == sku);

    /// <summary>The session's property that counts an article in the cart.</summary>
    public static string Property(string sku) => $"item:{sku}";

    /// <summary>One less in the cart; the last one takes the line along.</summary>
    public static void TakeOneOut(ISession session, string sku)
    {
        var left = (session.GetInt32(Property(sku)) ?? 0) - 1;
        if (left > 0)
        {
            session.SetInt32(Property(sku), left);
        }
        else
        {
            session.Remove(Property(sku));
        }
    }
}
