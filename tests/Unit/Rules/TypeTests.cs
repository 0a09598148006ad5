using System.Reflection;
using System.Runtime.Loader;

namespace SessionActors.Rules;

public sealed class TypeTests
{
    private static readonly string[] VagueEndings =
        ["Manager", "Helper", "Utils", "Service", "Processor", "Data", "Info", "Base", "Constants"];

    [Fact]
    public void Every_type_of_the_product_is_in_the_one_namespace() => Repository.None(
        Repository.ProductTypes.Where(t => t.Namespace != "SessionActors").Select(t => t.FullName!),
        "Put these into the namespace SessionActors:");

    [Fact]
    public void Every_class_is_sealed_or_abstract_or_static() => Repository.None(
        Repository.ProductTypes.Where(t => t is { IsClass: true, IsSealed: false, IsAbstract: false }).Select(t => t.FullName!),
        "Seal these classes:");

    [Fact]
    public void No_name_ends_in_a_word_that_says_nothing() => Repository.None(
        Repository.ProductTypes.Where(t => VagueEndings.Any(e => t.Name.EndsWith(e, StringComparison.Ordinal))).Select(t => t.FullName!),
        "Name these by what they are, in the words of docs/design.md:");

    [Fact]
    public void The_web_side_and_the_grains_know_nothing_of_each_other()
    {
        Assert.DoesNotContain("SessionActors.Grains", ReferencesOf("WebAdapter"));
        Assert.DoesNotContain("SessionActors.Silo", ReferencesOf("WebAdapter"));
        Assert.DoesNotContain("SessionActors.WebAdapter", ReferencesOf("Grains"));
        Assert.DoesNotContain("SessionActors.WebAdapter", ReferencesOf("Silo"));
        Assert.DoesNotContain(ReferencesOf("Abstractions"), name => name.StartsWith("SessionActors", StringComparison.Ordinal));
    }

    [Fact]
    public void An_application_with_a_silo_inside_needs_no_OpenTelemetry()
    {
        var alone = new WithoutOpenTelemetry();
        try
        {
            var silo = alone.LoadFromAssemblyPath(Repository.Product["Silo"].Location);

            // As applications do that look through all types for those of theirs.
            Assert.NotEmpty(silo.GetTypes());
        }
        finally
        {
            alone.Unload();
        }
    }

    private static IEnumerable<string> ReferencesOf(string project) =>
        Repository.Product[project].GetReferencedAssemblies().Select(a => a.Name!);

    private sealed class WithoutOpenTelemetry() : AssemblyLoadContext(isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName name) => name.Name!.StartsWith("OpenTelemetry", StringComparison.Ordinal)
            ? throw new FileNotFoundException("It is not among an application's packages.", name.Name)
            : null;
    }
}
