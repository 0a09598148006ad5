namespace SessionActors;

public sealed class OwnerNonceTests
{
    [Fact]
    public void Owner_is_of_its_claim_in_any_epoch_and_of_no_other()
    {
        var (claim, other) = (OwnerNonce.New(), OwnerNonce.New());

        Assert.True(claim.IsOf(claim));
        Assert.True(claim.In(2).IsOf(claim));
        Assert.False(claim.In(2).IsOf(other));
        Assert.False(new OwnerNonce($"{claim}2").IsOf(claim));
        Assert.NotEqual(claim.In(2), claim.In(3));
    }
}
