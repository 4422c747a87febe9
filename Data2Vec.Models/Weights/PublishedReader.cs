using System.Runtime.InteropServices;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Models.Weights;

/// <summary>What to do about the head (and the pooler) of the files.</summary>
public enum StoredHead
{
    /// <summary>It must be there: the model is used as it is.</summary>
    Required,

    /// <summary>It is loaded when it is there; a head that is missing whole keeps its first values.</summary>
    IfPresent,

    /// <summary>It is left where it is: the model gets a new head, of other size perhaps.</summary>
    Ignored,
}

/// <summary>What was done besides loading.</summary>
/// <param name="Ignored">Stored names that were left out: buffers, tied copies, heads of other classes.</param>
/// <param name="NewParts">Parts that the files lack and that kept their first values.</param>
public sealed record LoadReport(IReadOnlyList<string> Ignored, IReadOnlyList<PublishedPart> NewParts);

/// <summary>
/// Loads published weights into a built store. Names and shapes are all checked before the first value is written, so
/// that nothing is loaded half.
/// </summary>
public static class PublishedReader
{
    private const int NamesInMessage = 5;

    /// <summary>Loads the student's values, and the teacher's own ones as a copy.</summary>
    /// <param name="files">The weights.</param>
    /// <param name="parameters">A built store under published names.</param>
    /// <param name="head">What to do about the head.</param>
    /// <exception cref="InvalidDataException">
    /// A tensor is missing, unexpected or of wrong shape; it is named.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static LoadReport Read(
        PublishedFiles files, PublishedParameters parameters, StoredHead head = StoredHead.Required)
    {
        var (sources, report) = Match(files, parameters, head);
        foreach (var group in sources.Where(s => s.Key.Parameter is not null).GroupBy(s => s.Key.Parameter))
        {
            var number = parameters.Store.NumberOf(group.Key!);
            if (parameters.Store.DType == DType.Float32)
            {
                var values = Assemble(group, number, parameters, n => files.FileOf(n).ReadSingles(n));
                Write(parameters.Store, number, MemoryMarshal.AsBytes<float>(values));
            }
            else
            {
                var values = Assemble(group, number, parameters, n => files.FileOf(n).ReadDoubles(n));
                Write(parameters.Store, number, MemoryMarshal.AsBytes<double>(values));
            }
        }
        return report;
    }

    /// <summary>
    /// The stored name of every tensor of the map, after all checks: what is loaded, or copied to another folder.
    /// </summary>
    internal static (Dictionary<PublishedTensor, string> Sources, LoadReport Report) Match(
        PublishedFiles files, PublishedParameters parameters, StoredHead head)
    {
        var map = parameters.Map;
        var sources = new Dictionary<PublishedTensor, string>();
        List<string> ignored = [], unexpected = [];
        foreach (var name in files.Names.Order(StringComparer.Ordinal))
        {
            var tensor = map.Find(name);
            var wanted = tensor is not null && (tensor.Part == PublishedPart.Base || head != StoredHead.Ignored);
            if (wanted && !sources.TryAdd(tensor!, name))
                throw new InvalidDataException($"{files.Source} holds both {sources[tensor!]} and {name}.");
            if (wanted) continue;
            if (tensor is not null || IsIgnored(files, map, name)) ignored.Add(name);
            else unexpected.Add(name);
        }
        if (unexpected.Count > 0)
        {
            throw new InvalidDataException(
                $"{files.Source} holds {Named(unexpected)}, which a {map.Class} of its configuration does not have.");
        }
        var newParts = Missing(files, map, sources, head);
        foreach (var (tensor, name) in sources) CheckShape(files, parameters, tensor, name);
        return (sources, new LoadReport(ignored, newParts));
    }

    private static bool IsIgnored(PublishedFiles files, PublishedMap map, string name)
    {
        if (map.Family.IsBuffer(name)) return true;
        if (!map.Ties.TryGetValue(name, out var original)) return map.Family.IsOfHead(name);
        var prefixed = files.Contains(original) ? original : map.Family.Prefix + original;
        if (files.FileOf(name).ReadSingles(name).AsSpan().SequenceEqual(files.FileOf(prefixed).ReadSingles(prefixed)))
            return true;
        throw new InvalidDataException(
            $"{files.Source}: {name} differs from {prefixed}, to which the model ties it.");
    }

    private static List<PublishedPart> Missing(
        PublishedFiles files, PublishedMap map, Dictionary<PublishedTensor, string> sources, StoredHead head)
    {
        var missing = new List<string>();
        var newParts = new List<PublishedPart>();
        foreach (var part in map.Tensors.Where(t => t.Parameter is not null).GroupBy(t => t.Part))
        {
            string[] names = [.. part.Where(t => !sources.ContainsKey(t)).Select(map.StoredName)];
            var whole = names.Length == part.Count();
            if (whole && part.Key != PublishedPart.Base && head != StoredHead.Required) newParts.Add(part.Key);
            else missing.AddRange(names);
        }
        if (missing.Count > 0)
            throw new InvalidDataException($"{files.Source} lacks {Named(missing)} of a {map.Class}.");
        return newParts;
    }

    private static void CheckShape(
        PublishedFiles files, PublishedParameters parameters, PublishedTensor tensor, string name)
    {
        var expected = parameters.ShapeOf(tensor);
        var entry = files[name];
        if (entry.Type is not (SafetensorsType.F64 or SafetensorsType.F32)
            and not (SafetensorsType.F16 or SafetensorsType.BF16))
            throw new InvalidDataException($"{files.Source}: {name} must be floating point; got {entry.Type.Name()}.");
        if (entry.ToShape() != expected)
            throw new InvalidDataException(
                $"{files.Source}: {name} must have shape {expected}; got {entry.ToShape()}.");
        if (tensor.Parameter is null && files.FileOf(name).ReadSingles(name).AsSpan().ContainsAnyExcept(0))
            throw new InvalidDataException($"{files.Source}: {name} must be all zeros, because the model has none.");
    }

    private static T[] Assemble<T>(
        IEnumerable<KeyValuePair<PublishedTensor, string>> slices, int number, PublishedParameters parameters,
        Func<string, T[]> read)
    {
        var values = new T[parameters.Store.Parameters[number].Shape.Count];
        foreach (var (tensor, name) in slices)
        {
            var (_, rows, start) = parameters.Place(tensor);
            tensor.FromPublished(read(name), rows).CopyTo(values.AsSpan((int)start));
        }
        return values;
    }

    private static void Write(ParameterStore store, int number, ReadOnlySpan<byte> values)
    {
        store.WriteBytes(ParameterPart.Student, number, values);
        if (store.HasTeacherValue(number)) store.WriteBytes(ParameterPart.Teacher, number, values);
    }

    private static string Named(List<string> names)
    {
        var shown = string.Join(", ", names.Take(NamesInMessage));
        var more = names.Count > NamesInMessage ? $" and {names.Count - NamesInMessage} more" : "";
        return (names.Count == 1 ? "the tensor " : $"{names.Count} tensors: ") + shown + more;
    }
}
