namespace Data2Vec.Models.Data;

/// <summary>
/// Makes pictures into the numbers that an encoder reads, as the image processor of the published models does
/// (BeitImageProcessor of transformers, on Pillow): resize, crop, rescale, normalise.
/// </summary>
public sealed record ImageProcessor
{
    /// <summary>Resize to <see cref="Width"/> x <see cref="Height"/>, whatever the ratio of the sides.</summary>
    public bool DoResize { get; init; } = true;

    /// <summary>Pixels of a row after resizing.</summary>
    public int Width { get; init; } = 224;

    /// <summary>Rows after resizing.</summary>
    public int Height { get; init; } = 224;

    /// <summary>Filter of the resize.</summary>
    public ResizeFilter Filter { get; init; } = ResizeFilter.Bicubic;

    /// <summary>Cut out the middle after resizing; where the picture is smaller, black is put around it.</summary>
    public bool DoCentreCrop { get; init; }

    /// <summary>Pixels of a row of the crop.</summary>
    public int CropWidth { get; init; } = 224;

    /// <summary>Rows of the crop.</summary>
    public int CropHeight { get; init; } = 224;

    /// <summary>Factor of the levels 0 to 255; 1 where they stay as they are.</summary>
    public double RescaleFactor { get; init; } = 1 / 255.0;

    /// <summary>Subtract the mean, divide by the deviation.</summary>
    public bool DoNormalise { get; init; } = true;

    /// <summary>Mean of red, green, blue after rescaling. The published models have 0.5.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [0.5, 0.5, 0.5];

    /// <summary>Deviation of red, green, blue after rescaling. The published models have 0.5.</summary>
    public IReadOnlyList<double> Deviation { get; init; } = [0.5, 0.5, 0.5];

    /// <summary>Width of what <see cref="Prepare"/> gives, where it resizes or crops.</summary>
    public int OutputWidth => DoCentreCrop ? CropWidth : Width;

    /// <summary>Height of what <see cref="Prepare"/> gives, where it resizes or crops.</summary>
    public int OutputHeight => DoCentreCrop ? CropHeight : Height;

    /// <summary>Resize and crop: the picture in the size that the encoder reads, still of 8 bits.</summary>
    public RgbImage Prepare(RgbImage image)
    {
        if (DoResize) image = ImageResize.Resize(image, Width, Height, Filter);
        // transformers rounds the corner otherwise than torchvision: down inside, and up when it pads.
        return DoCentreCrop
            ? image.Crop(Corner(image.Width, CropWidth), Corner(image.Height, CropHeight), CropWidth, CropHeight)
            : image;
    }

    /// <summary>Levels to numbers: level * factor, then (value - mean) / deviation, rounded to float32 each.</summary>
    /// <param name="image">The picture, prepared.</param>
    /// <param name="values">[Height, Width, 3], channel-last as the engine has it.</param>
    /// <exception cref="ArgumentException">The size is another one; mean or deviation have no three values.</exception>
    public void Write(RgbImage image, Span<float> values)
    {
        if (values.Length != image.Pixels.Length)
            throw new ArgumentException(
                $"ImageProcessor: {image.Width} x {image.Height} pixels give {image.Pixels.Length} values; there is "
                + $"room for {values.Length}.", nameof(values));
        if (Mean.Count != 3 || Deviation.Count != 3)
            throw new ArgumentException("ImageProcessor: mean and deviation need three values each.");
        var table = new float[3 * 256];
        for (var c = 0; c < 3; c++)
            for (var level = 0; level < 256; level++)
            {
                var value = (float)(level * RescaleFactor);
                table[c * 256 + level] = DoNormalise ? (value - (float)Mean[c]) / (float)Deviation[c] : value;
            }
        var pixels = image.Pixels;
        for (var i = 0; i < pixels.Length; i += 3)
        {
            values[i] = table[pixels[i]];
            values[i + 1] = table[256 + pixels[i + 1]];
            values[i + 2] = table[512 + pixels[i + 2]];
        }
    }

    /// <summary>Prepares pictures and makes them a batch.</summary>
    /// <returns>[pictures, height, width, 3], row-major.</returns>
    /// <exception cref="ArgumentException">There is no picture, or sizes differ after preparing.</exception>
    public float[] Process(IReadOnlyList<RgbImage> images)
    {
        if (images.Count == 0) throw new ArgumentException("ImageProcessor: there is no picture.", nameof(images));
        var first = Prepare(images[0]);
        var values = new float[(long)images.Count * first.Pixels.Length];
        for (var i = 0; i < images.Count; i++)
        {
            var image = i == 0 ? first : Prepare(images[i]);
            if (image.Width != first.Width || image.Height != first.Height)
                throw new ArgumentException(
                    $"ImageProcessor: picture {i} has {image.Width} x {image.Height} pixels, the first one "
                    + $"{first.Width} x {first.Height}; pictures of a batch must be alike.", nameof(images));
            Write(image, values.AsSpan(i * image.Pixels.Length, image.Pixels.Length));
        }
        return values;
    }

    private static int Corner(int side, int crop) => crop > side ? -((crop - side + 1) / 2) : (side - crop) / 2;
}
