namespace Data2Vec.Models.Weights;

/// <summary>
/// All tensors of one published model, by their stored names: one mechanism for weights, gradients and state.
/// </summary>
public sealed class PublishedMap
{
    private readonly Dictionary<string, PublishedTensor> byName = new(StringComparer.Ordinal);

    /// <summary>A map of a class.</summary>
    /// <param name="family">The modality.</param>
    /// <param name="class">Name of the published class, as in the field architectures.</param>
    /// <param name="tensors">Base, then pooler, then head.</param>
    /// <param name="ties">
    /// Names that files may hold beside the tensors: copies of the tensor (without prefix) that they are tied to.
    /// </param>
    /// <exception cref="ArgumentException">Two tensors have one name.</exception>
    public PublishedMap(
        PublishedFamily family, string @class, IEnumerable<PublishedTensor> tensors,
        IReadOnlyDictionary<string, string>? ties = null)
    {
        Family = family;
        Class = @class;
        Tensors = [.. tensors];
        Ties = ties ?? new Dictionary<string, string>();
        foreach (var tensor in Tensors)
            if (!byName.TryAdd(tensor.Name, tensor)) throw new ArgumentException($"{tensor.Name} is mapped twice.");
    }

    /// <summary>The modality.</summary>
    public PublishedFamily Family { get; }

    /// <summary>Name of the published class.</summary>
    public string Class { get; }

    /// <summary>True for a class with a head: its base names carry the prefix.</summary>
    public bool HasHead => Class != Family.Bare;

    /// <summary>The tensors that files hold.</summary>
    public IReadOnlyList<PublishedTensor> Tensors { get; }

    /// <summary>Stored names of copies, and the name that each is tied to.</summary>
    public IReadOnlyDictionary<string, string> Ties { get; }

    /// <summary>The name that we write.</summary>
    public string StoredName(PublishedTensor tensor) =>
        HasHead && tensor.Part != PublishedPart.Head ? Family.Prefix + tensor.Name : tensor.Name;

    /// <summary>The tensor of a stored name; base names may carry the prefix or not, head names do not.</summary>
    public PublishedTensor? Find(string stored)
    {
        if (stored.StartsWith(Family.Prefix, StringComparison.Ordinal))
        {
            var inner = byName.GetValueOrDefault(stored[Family.Prefix.Length..]);
            return inner?.Part == PublishedPart.Head ? null : inner;
        }
        return byName.GetValueOrDefault(stored);
    }

    /// <summary>The map with more tensors.</summary>
    public PublishedMap With(IEnumerable<PublishedTensor> more) => new(Family, Class, Tensors.Concat(more), Ties);
}
