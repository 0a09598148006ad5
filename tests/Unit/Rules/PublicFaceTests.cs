using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace SessionActors.Rules;

public sealed class PublicFaceTests
{
    private const string Expected = "tests/Unit/Rules/PublicFace.txt";

    [Fact]
    public async Task The_public_face_is_the_one_that_is_written_down()
    {
        var actual = Describe();
        var beside = Path.Combine(AppContext.BaseDirectory, "PublicFace.txt");
        await File.WriteAllTextAsync(beside, actual, TestContext.Current.CancellationToken);

        var path = Path.Combine(Repository.Root, Expected);
        var expected = File.Exists(path) ? await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken) : "";

        var gone = expected.Split('\n').Except(actual.Split('\n')).Select(line => $"- {line}");
        var come = actual.Split('\n').Except(expected.Split('\n')).Select(line => $"+ {line}");
        Assert.True(
            actual == expected,
            $"What applications can see has changed. If that is meant, copy the new face over the old one and say so in CHANGELOG.md:\n"
            + $"  cp {Path.GetRelativePath(Repository.Root, beside)} {Expected}\n{string.Join('\n', gone.Concat(come))}");
    }

    private static string Describe()
    {
        var text = new StringBuilder();
        foreach (var (name, assembly) in Repository.Product)
        {
            text.Append("# ").Append(name).Append('\n');
            var types = assembly.GetExportedTypes().Where(Repository.ProductTypes.Contains);
            foreach (var type in types.OrderBy(t => t.FullName, StringComparer.Ordinal))
            {
                text.Append('\n').Append(Head(type)).Append('\n');
                foreach (var member in Members(type).Order(StringComparer.Ordinal))
                {
                    text.Append("    ").Append(member).Append('\n');
                }
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Head(Type type)
    {
        var kind = type switch
        {
            { IsInterface: true } => "interface",
            { IsEnum: true } => "enum",
            { IsValueType: true } => "struct",
            { IsAbstract: true, IsSealed: true } => "static class",
            { IsAbstract: true } => "abstract class",
            _ => "class",
        };
        var parents = new[] { type.BaseType }.Concat(type.GetInterfaces()).OfType<Type>()
            .Where(t => t == typeof(Exception) || t == typeof(Attribute)
                || t.Namespace?.Split('.')[0] is "SessionActors" or "Orleans" or "Microsoft")
            .Select(t => NameOf(t)).Order(StringComparer.Ordinal).ToList();
        return $"{kind} {NameOf(type)}{(parents.Count == 0 ? "" : " : ")}{string.Join(", ", parents)}";
    }

    private static IEnumerable<string> Members(Type type)
    {
        const BindingFlags visible = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select((name, i) => $"{name} = {Convert.ToInt64(Enum.GetValues(type).GetValue(i), null)}");
        }

        var nulls = new NullabilityInfoContext();
        string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
            $"{Kind(method, p)}{NameOf(p.ParameterType, nulls.Create(p))} {p.Name}"
            + (p.HasDefaultValue ? $" = {p.DefaultValue ?? "default"}" : "")));
        string Static(bool yes) => yes && type is not { IsAbstract: true, IsSealed: true } ? "static " : "";

        var fields = type.GetFields(visible).Select(
            f => $"{(f.IsLiteral ? "const " : Static(f.IsStatic))}{NameOf(f.FieldType, nulls.Create(f))} {f.Name}");
        var constructors = type.GetConstructors(visible).Select(c => $"new({Parameters(c)})");
        var properties = type.GetProperties(visible).Where(p => p.GetMethod?.IsPublic == true).Select(p =>
            $"{Static(p.GetMethod!.IsStatic)}{NameOf(p.PropertyType, nulls.Create(p))} {p.Name} {{ get; {Setter(p)}}}");
        var methods = type.GetMethods(visible).Where(m => !IsAccessorOrGenerated(m)).Select(m =>
            $"{Static(m.IsStatic)}{NameOf(m.ReturnType, nulls.Create(m.ReturnParameter))} {m.Name}{Generics(m)}({Parameters(m)})");
        return fields.Concat(constructors).Concat(properties).Concat(methods);
    }

    private static string Kind(MethodBase method, ParameterInfo parameter) =>
        parameter.IsOut ? "out "
        : parameter.IsIn ? "in "
        : parameter.ParameterType.IsByRef ? "ref "
        : parameter.Position == 0 && method.IsDefined(typeof(ExtensionAttribute)) ? "this "
        : "";

    private static string Setter(PropertyInfo property) =>
        property.SetMethod is not { IsPublic: true } setter ? ""
        : setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? "init; "
        : "set; ";

    // What a record is given by the compiler goes without saying.
    private static bool IsAccessorOrGenerated(MethodInfo method) =>
        (method.IsSpecialName && !method.Name.StartsWith("op_Implicit", StringComparison.Ordinal))
        || method.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)
        || method.Name.Contains('<', StringComparison.Ordinal);

    private static string Generics(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(t => NameOf(t)))}>" : "";

    private static string NameOf(Type type, NullabilityInfo? nulls = null)
    {
        var mayBeNull = !type.IsValueType && nulls?.ReadState == NullabilityState.Nullable ? "?" : "";
        if (type.IsByRef || type.IsArray)
        {
            return NameOf(type.GetElementType()!, type.IsByRef ? nulls : nulls?.ElementType) + (type.IsArray ? "[]" + mayBeNull : "");
        }

        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return NameOf(inner) + "?";
        }

        var simple = type.FullName switch
        {
            "System.Void" => "void",
            "System.Boolean" => "bool",
            "System.Byte" => "byte",
            "System.Int32" => "int",
            "System.Int64" => "long",
            "System.UInt32" => "uint",
            "System.UInt64" => "ulong",
            "System.String" => "string",
            "System.Object" => "object",
            _ => type.Name.Split('`')[0],
        };
        var arguments = type.GetGenericArguments().Select((t, i) => NameOf(t, nulls?.GenericTypeArguments.ElementAtOrDefault(i)));
        return (type.IsGenericType ? $"{simple}<{string.Join(", ", arguments)}>" : simple) + mayBeNull;
    }
}
