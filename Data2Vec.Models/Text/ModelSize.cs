using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Models;

/// <summary>How many parameters a configuration would have, without allocating them.</summary>
public static class ModelSize
{
    /// <summary>Scalars of encoder and regression head.</summary>
    public static long Of(TextPretrainConfig config)
    {
        using var device = new Device("reference", new ReferenceBackend());
        using var model = new TextPretrainModel(
            new ParameterStore(device), config.Encoder(config.VocabularySize), config.HeadLayers, config.EmaEverything);
        return model.Store.Count;
    }
}
