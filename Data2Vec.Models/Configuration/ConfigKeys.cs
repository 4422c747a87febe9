using System.Collections.Concurrent;
using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text;
using Data2Vec.Models.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Data2Vec.Models.Configuration;

/// <summary>A configuration that cannot be used: one sentence with the place, the key and what was expected.</summary>
public sealed class ConfigException(string message) : Exception(message);

/// <summary>The values a numeric key accepts.</summary>
/// <param name="low">Smallest value.</param>
/// <param name="high">Largest value.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LimitsAttribute(double low, double high) : Attribute
{
    /// <summary>Smallest value.</summary>
    public double Low => low;

    /// <summary>Largest value.</summary>
    public double High => high;
}

/// <summary>
/// Strict binding of a settings record: its properties are the keys, in snake_case, those of its base first. A key that is
/// unknown, given twice, of the wrong type or out of range is an error with its place and, for a misspelling, a suggestion.
/// A settings record has int, ulong, double, bool, string and enum properties with descriptions.
/// </summary>
public static class ConfigKeys
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyDictionary<string, PropertyInfo>> Known = new();

    /// <summary>All keys of a settings record, in the order they are printed.</summary>
    public static IEnumerable<string> Of<T>(T settings)
        where T : class => PropertiesOf(settings).Keys;

    /// <summary>Settings with the values of a YAML file (key: value lines) applied.</summary>
    /// <exception cref="ConfigException">The file is not readable, not YAML, or has a bad key or value.</exception>
    public static T ApplyFile<T>(T settings, string path)
        where T : class
    {
        string text;
        try
        {
            text = Utf8Text.Read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new ConfigException($"The configuration {path} cannot be read: {e.Message}");
        }
        return ApplyYaml(settings, text, path);
    }

    /// <summary>As <see cref="ApplyFile"/>, for text; <paramref name="name"/> stands in messages.</summary>
    public static T ApplyYaml<T>(T settings, string yaml, string name)
        where T : class
    {
        var seen = new HashSet<string>();
        try
        {
            var parser = new Parser(new StringReader(yaml));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _)) return settings;
            parser.Consume<DocumentStart>();
            if (!parser.TryConsume<MappingStart>(out _))
                throw new ConfigException($"{name}:1: expected lines of `key: value`.");
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                var key = parser.Consume<Scalar>();
                var place = $"{name}:{key.Start.Line}";
                if (!parser.TryConsume<Scalar>(out var value))
                    throw new ConfigException($"{place}: the value of '{key.Value}' must be a single value.");
                if (!seen.Add(key.Value)) throw new ConfigException($"{place}: the key '{key.Value}' is given twice.");
                settings = Set(settings, key.Value, value.Value, place);
            }
            parser.Consume<DocumentEnd>();
            if (parser.TryConsume<DocumentStart>(out var second))
                throw new ConfigException($"{name}:{second.Start.Line}: a second document begins; one is expected.");
        }
        catch (YamlException e)
        {
            throw new ConfigException($"{name}:{e.Start.Line}: this is not valid YAML: {e.Message}");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // The parser's own words where something follows a document that has ended, and on tags and escapes.
            throw new ConfigException($"{name}: this is not valid YAML: {e.Message}");
        }
        return settings;
    }

    /// <summary>Settings with `key=value` arguments applied.</summary>
    /// <exception cref="ConfigException">An argument has no '=', or a bad or repeated key, or a bad value.</exception>
    public static T ApplyArguments<T>(T settings, IEnumerable<string> arguments)
        where T : class
    {
        var seen = new HashSet<string>();
        foreach (var argument in arguments)
        {
            var split = argument.IndexOf('=', StringComparison.Ordinal);
            if (split <= 0)
                throw new ConfigException($"'{argument}' is not understood: settings are given as key=value.");
            var key = argument[..split].Trim();
            if (!seen.Add(key)) throw new ConfigException($"The key '{key}' is given twice.");
            settings = Set(settings, key, argument[(split + 1)..].Trim(), "command line");
        }
        return settings;
    }

    /// <summary>All keys with their values and descriptions as YAML that <see cref="ApplyYaml"/> reads back.</summary>
    public static string Print<T>(T settings)
        where T : class
    {
        var text = new StringBuilder();
        foreach (var (key, property) in PropertiesOf(settings))
        {
            if (property.GetCustomAttribute<DescriptionAttribute>() is { } about)
                text.Append("# ").AppendLine(about.Description);
            text.Append(key).Append(": ").AppendLine(Text(property.GetValue(settings)));
        }
        return text.ToString();
    }

    private static T Set<T>(T settings, string key, string value, string place)
        where T : class
    {
        var properties = PropertiesOf(settings);
        if (!properties.TryGetValue(key, out var property))
        {
            throw new ConfigException(
                $"{place}: there is no key '{key}'{Suggestion.For(key, properties.Keys)}");
        }
        var parsed = Parse(property, key, value, place);
        var copy = (T)CloneOf(settings.GetType()).Invoke(settings, null)!;
        property.SetValue(copy, parsed);
        return copy;
    }

    private static object Parse(PropertyInfo property, string key, string value, string place)
    {
        var type = property.PropertyType;
        var culture = CultureInfo.InvariantCulture;
        if (type == typeof(string)) return value;
        if (type.IsEnum)
        {
            var names = Enum.GetNames(type).Select(SnakeCase).ToArray();
            var at = Array.IndexOf(names, value);
            return at >= 0 ? Enum.GetValues(type).GetValue(at)! : throw new ConfigException(
                $"{place}: {key} must be one of {string.Join(", ", names)}; got '{value}'"
                + Suggestion.For(value, names));
        }
        if (type == typeof(bool))
        {
            return bool.TryParse(value, out var b) ? b
                : throw new ConfigException($"{place}: {key} must be true or false; got '{value}'.");
        }
        object number;
        if (type == typeof(int) && int.TryParse(value, NumberStyles.AllowLeadingSign, culture, out var i)) number = i;
        else if (type == typeof(ulong) && ulong.TryParse(value, NumberStyles.None, culture, out var u)) number = u;
        else if (type == typeof(double) && double.TryParse(value, NumberStyles.Float, culture, out var d)
            && double.IsFinite(d)) number = d;
        else throw new ConfigException($"{place}: {key} must be {Kind(type)}; got '{value}'.");
        if (property.GetCustomAttribute<LimitsAttribute>() is { } limits)
        {
            var x = Convert.ToDouble(number, culture);
            if (x < limits.Low || x > limits.High)
            {
                throw new ConfigException(
                    $"{place}: {key} must lie between {limits.Low} and {limits.High}; got {value}.");
            }
        }
        return number;
    }

    private static string Kind(Type type) => type == typeof(double) ? "a number"
        : type == typeof(ulong) ? "a whole number of at least 0" : "a whole number";

    private static string Text(object? value) => value switch
    {
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        bool b => b ? "true" : "false",
        Enum e => SnakeCase(e.ToString()),
        string s => "\"" + s.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    internal static string SnakeCase(string name)
    {
        var text = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsUpper(name[i])) text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }

    /// <summary>The keys of a record: those its base declares first, so that every modality starts alike.</summary>
    private static IReadOnlyDictionary<string, PropertyInfo> PropertiesOf(object settings) =>
        Known.GetOrAdd(settings.GetType(), type =>
        {
            var keys = new OrderedDictionary<string, PropertyInfo>();
            foreach (var level in Levels(type).Reverse())
                foreach (var property in level.GetProperties(
                    BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
                    if (property.CanWrite) keys.Add(SnakeCase(property.Name), property);
            return keys;
        });

    private static IEnumerable<Type> Levels(Type? type)
    {
        for (; type is not null && type != typeof(object); type = type.BaseType) yield return type;
    }

    private static MethodInfo CloneOf(Type type) => type.GetMethod("<Clone>$")
        ?? throw new InvalidOperationException($"{type.Name} must be a record.");
}

/// <summary>"; did you mean 'steps'?" for a misspelling.</summary>
public static class Suggestion
{
    /// <summary>The nearest of the known words when it is near enough, as the end of a sentence; else a full stop.</summary>
    public static string For(string word, IEnumerable<string> known)
    {
        var near = Math.Max(2, word.Length / 3);
        // Words of other lengths cannot be near; a word as long as a file is not compared with anything.
        var nearest = known.Where(k => Math.Abs(k.Length - word.Length) <= near)
            .Select(k => (Word: k, Distance: Distance(word, k))).Where(k => k.Distance <= near)
            .OrderBy(k => k.Distance).Select(k => k.Word).FirstOrDefault();
        return nearest is null ? "." : $"; did you mean '{nearest}'?";
    }

    /// <summary>Levenshtein distance.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[^1];
    }
}
