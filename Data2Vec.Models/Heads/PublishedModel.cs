using Data2Vec.Engine;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// An encoder, bare or with a head, as published folders hold it. The store belongs to the caller: declare the model,
/// build the store, load or initialise, run.
/// </summary>
public abstract class PublishedModel
{
    /// <summary>A model over a store.</summary>
    protected PublishedModel(ParameterStore store, PublishedMap names)
    {
        Store = store;
        Names = names;
    }

    /// <summary>All parameters.</summary>
    public ParameterStore Store { get; }

    /// <summary>Published class and names.</summary>
    public PublishedMap Names { get; }

    /// <summary>The parameters under published names.</summary>
    public PublishedParameters Parameters => new(Store, Names);

    /// <summary>The places in a store where heads declare: never averaged into a teacher.</summary>
    private protected static ParameterScope Head(ParameterStore store, string name = "") =>
        name.Length == 0 ? new ParameterScope(store, "head") : new ParameterScope(store, $"head.{name}");
}
