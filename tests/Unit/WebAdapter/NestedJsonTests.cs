using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace SessionActors;

/// <summary>What <c>Get</c>, <c>Set</c> and <c>Replace</c> do with types that know more or less than what is stored.</summary>
public sealed class NestedJsonTests : IAsyncLifetime
{
    private static readonly JsonSerializerOptions Snake = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private static readonly JsonSerializerOptions Numbered = new() { ReferenceHandler = ReferenceHandler.Preserve };

    private WebSite _site = null!;
    private Browser _visitor = null!;
    private Action<IActorSession> _endpoint = _ => { };

    public async ValueTask InitializeAsync()
    {
        _site = await WebSite.StartAsync(app => app.MapGet("/run", (HttpContext http) => _endpoint(http.GetActorSession())));
        _visitor = _site.NewBrowser();
    }

    public async ValueTask DisposeAsync()
    {
        _visitor.Dispose();
        await _site.DisposeAsync();
    }

    [Fact]
    public async Task Two_versions_of_an_application_do_not_strip_each_others_members()
    {
        await StoreAsync("""{"name":"ann","tier":"gold","address":{"street":"x","zip":"1"},"more":[{"id":1,"n":1,"secret":true}]}""");

        await RunAsync<Old>(old =>
        {
            old.Name = "bob";
            old.Address!.Street = "y";
            old.More[0].N = 2;
        });

        await AssertStoredAsync(
            """{"name":"bob","tier":"gold","address":{"street":"y","zip":"1"},"more":[{"id":1,"n":2,"secret":true}]}""");
    }

    [Fact]
    public async Task A_newer_version_adds_what_the_stored_one_does_not_have()
    {
        await StoreAsync("""{"name":"ann"}""");

        await RunAsync<Old>(old => old.More.Add(new Item { Id = 1 }));

        await AssertStoredAsync("""{"name":"ann","more":[{"id":1,"n":0}]}""");
    }

    [Fact]
    public async Task Reading_and_setting_the_same_writes_nothing_whatever_the_type_does_not_know()
    {
        await StoreAsync("""{ "tier" : "gold" , "name" : "ann", "price":1.10 }""");
        _site.Calls.Clear();

        await RunAsync<Old>(_ => { });
        await RunAsync<Old>(old => old.Name = "bob", old => old.Name = "ann");

        Assert.DoesNotContain(nameof(ISessionGrain.CommitAsync), _site.Calls);
    }

    [Fact]
    public async Task Each_get_makes_another_object_and_only_set_changes_the_session()
    {
        await StoreAsync("""{"name":"ann"}""");
        _site.Calls.Clear();

        await RunAsync(session =>
        {
            session.Get<Old>("p")!.Name = "bob";
            Assert.Equal("ann", session.Get<Old>("p")!.Name);
        });

        Assert.DoesNotContain(nameof(ISessionGrain.CommitAsync), _site.Calls);
    }

    [Fact]
    public async Task Without_a_get_set_replaces_and_replace_always_does()
    {
        await StoreAsync("""{"name":"ann","tier":"gold"}""");
        await RunAsync(session => session.Set("p", new Old { Name = "bob" }));
        await AssertStoredAsync("""{"name":"bob","address":null,"more":[]}""");

        await StoreAsync("""{"name":"ann","tier":"gold"}""");
        await RunAsync(session =>
        {
            var old = session.Get<Old>("p")!;
            session.Replace("p", old);
        });
        await AssertStoredAsync("""{"name":"ann","address":null,"more":[]}""");
    }

    [Fact]
    public async Task What_was_set_is_what_the_next_get_of_the_request_sees_and_the_next_set_starts_from()
    {
        await StoreAsync("""{"name":"ann","tier":"gold"}""");

        await RunAsync(session =>
        {
            var old = session.Get<Old>("p")!;
            old.Name = "bob";
            session.Set("p", old);
            Assert.Equal("bob", session.Get<Other>("p")!.Name);
            session.Set("p", new Other { Name = "eve", Tier = "silver" });
            old.More.Add(new Item { Id = 1 });
            session.Set("p", old);
            Assert.Equal("silver", session.Get<Other>("p")!.Tier);
        });

        await AssertStoredAsync("""{"name":"bob","tier":"silver","more":[{"id":1,"n":0}]}""");
    }

    [Fact]
    public async Task The_callers_options_name_the_members()
    {
        await StoreAsync("""{"zip_code":"1","first_name":"ann","other_thing":1}""");

        await RunAsync(session =>
        {
            var person = session.Get<Person>("p", Snake)!;
            session.Set("p", person with { FirstName = "bob" }, Snake);
        });
        await AssertStoredAsync("""{"zip_code":"1","first_name":"bob","other_thing":1}""");

        // Other options, other names: the value that these write is another one, and what the others wrote is not theirs.
        await RunAsync(session =>
        {
            var person = session.Get<Person>("p", Snake)!;
            session.Set("p", person);
        });
        await AssertStoredAsync("""{"zip_code":"1","first_name":"bob","other_thing":1,"firstName":"bob","zipCode":"1"}""");
    }

    [Fact]
    public async Task Names_in_another_case_are_replaced_and_not_put_beside()
    {
        await StoreAsync("""{"Name":"ann","Tier":"gold"}""");

        await RunAsync<Old>(old => old.Name = "bob");

        await AssertStoredAsync("""{"name":"bob","address":null,"more":[]}""");
    }

    [Fact]
    public async Task Null_and_other_kinds_at_the_root_are_the_whole_value()
    {
        await StoreAsync("""{"name":"ann"}""");
        await RunAsync(session =>
        {
            session.Get<Old>("p");
            session.Set<Old?>("p", null);
            Assert.Null(session.Get<Old>("p"));
        });
        await AssertStoredAsync("null");

        await RunAsync(session =>
        {
            Assert.Null(session.Get<int[]>("p"));
            session.Set<int[]>("p", [1]);
            session.Get<int[]>("p");
            session.Set<int[]>("p", [1, 2]);
        });
        await AssertStoredAsync("[1,2]");
    }

    [Fact]
    public async Task A_property_that_is_no_json_is_replaced()
    {
        await RunAsync(session =>
        {
            session.Set("p", [0xFF]);
            Assert.Throws<JsonException>(() => session.Get<Old>("p"));
        });
        await RunAsync(session =>
        {
            Assert.Throws<JsonException>(() => session.Get<Old>("p"));
            session.Set<List<int>>("p", [1]);
        });
        await AssertStoredAsync("[1]");
    }

    [Fact]
    public async Task Dictionaries_derived_types_and_extra_members_are_compared_as_the_json_they_write()
    {
        await RunAsync(session => session.Set("p", new Shapes
        {
            ByName = { ["a/b"] = new Circle { Radius = 1 }, [""] = new Square { Side = 1 }, ["~"] = new Square { Side = 2 } },
        }));

        await RunAsync<Shapes>(shapes =>
        {
            ((Circle)shapes.ByName["a/b"]).Radius = 2;
            shapes.ByName[""] = new Circle { Radius = 3 };
            shapes.ByName.Remove("~");
            shapes.Extra = new() { ["x"] = JsonElement.Parse("1.10") };
        });
        await AssertStoredAsync("""{"byName":{"a/b":{"$t":"c","radius":2},"":{"$t":"c","radius":3}},"x":1.10}""");
    }

    [Fact]
    public async Task A_type_that_cannot_read_what_another_has_seen_replaces_it()
    {
        await StoreAsync("""{"name":"ann"}""");

        await RunAsync(session =>
        {
            session.Get<Old>("p");
            session.Set("p", new Picky("x"));
        });

        await AssertStoredAsync("""{"text":"x"}""");
    }

    [Fact]
    public async Task With_preserved_references_the_whole_value_is_sent()
    {
        await StoreAsync("""{"$id":"1","FirstName":"ann","other":1}""");

        await RunAsync(session =>
        {
            session.Get<Old>("p", Numbered);
            session.Set("p", new Item { Id = 7 }, Numbered);
        });

        await AssertStoredAsync("""{"$id":"1","Id":7,"N":0}""");
    }

    private Task StoreAsync(string json) => RunAsync(session => session.Set("p", System.Text.Encoding.UTF8.GetBytes(json)));

    private Task RunAsync<T>(params Action<T>[] changes) => RunAsync(session =>
    {
        foreach (var change in changes)
        {
            var value = session.Get<T>("p")!;
            change(value);
            session.Set("p", value);
        }
    });

    private async Task RunAsync(Action<IActorSession> endpoint)
    {
        _endpoint = endpoint;
        await _visitor.GetAsync("/run");
    }

    private async Task AssertStoredAsync(string json)
    {
        var stored = "";
        await RunAsync(session => stored = session.TryGetValue("p", out var value) ? System.Text.Encoding.UTF8.GetString(value) : "-");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(json), JsonNode.Parse(stored)), stored);
    }

    private sealed class Old
    {
        public string? Name { get; set; }

        public Address? Address { get; set; }

        public List<Item> More { get; set; } = [];
    }

    private sealed class Address
    {
        public string? Street { get; set; }
    }

    private sealed class Item
    {
        public int Id { get; set; }

        public int N { get; set; }
    }

    private sealed class Other
    {
        public string? Name { get; set; }

        public string? Tier { get; set; }
    }

    private sealed record Person(string? FirstName, string? ZipCode);

    private sealed class Shapes
    {
        public Dictionary<string, Shape> ByName { get; set; } = [];

        [JsonExtensionData]
        public Dictionary<string, JsonElement>? Extra { get; set; }
    }

    [JsonPolymorphic(TypeDiscriminatorPropertyName = "$t")]
    [JsonDerivedType(typeof(Circle), "c")]
    [JsonDerivedType(typeof(Square), "s")]
    private abstract class Shape;

    private sealed class Circle : Shape
    {
        public int Radius { get; set; }
    }

    private sealed class Square : Shape
    {
        public int Side { get; set; }
    }

    private sealed class Picky(string text)
    {
        public string Text { get; } = text ?? throw new NotSupportedException("It needs a text.");
    }
}
