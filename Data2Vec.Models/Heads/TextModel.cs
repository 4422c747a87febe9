using Data2Vec.Engine;

namespace Data2Vec.Models;

/// <summary>The bare text encoder, Data2VecTextModel.</summary>
public sealed class TextModel : PublishedModel
{
    /// <summary>Declares the parameters.</summary>
    public TextModel(ParameterStore store, TextEncoderConfig config)
        : base(store, PublishedText.Map(config)) => Encoder = new TextEncoder(store, config, TeacherRule.Shared);

    /// <summary>The encoder.</summary>
    public TextEncoder Encoder { get; }
}
