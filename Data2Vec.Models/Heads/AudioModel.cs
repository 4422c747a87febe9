using Data2Vec.Engine;

namespace Data2Vec.Models;

/// <summary>The bare audio encoder, Data2VecAudioModel.</summary>
public sealed class AudioModel : PublishedModel
{
    /// <summary>Declares the parameters.</summary>
    public AudioModel(ParameterStore store, AudioEncoderConfig config)
        : base(store, PublishedAudio.Map(config)) =>
        Encoder = new AudioEncoder(store, config, AudioTeacher.All(TeacherRule.Shared));

    /// <summary>The encoder.</summary>
    public AudioEncoder Encoder { get; }
}
