using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>The outline of a generated object: a shape at a place, turned by up to 0.4 radians.</summary>
/// <param name="Shape">Which.</param>
/// <param name="Radius">Pixels from the centre to about the outermost point.</param>
/// <param name="X">Centre, in pixels from the left.</param>
/// <param name="Y">Centre, in pixels from the top.</param>
/// <param name="Cosine">Of the rotation.</param>
/// <param name="Sine">Of the rotation.</param>
internal readonly record struct ShapeOutline(
    PictureShape Shape, double Radius, double X, double Y, double Cosine, double Sine)
{
    // How fast coverage goes from 0 to 1: logistic(3 * pixels).
    private const double Sharpness = 3;

    /// <summary>Radius .30 to .45 of the side, centre .35 to .65 of it.</summary>
    public static ShapeOutline Draw(PictureShape shape, int side, PhiloxStream random)
    {
        var radius = random.NextDouble(0.30, 0.45) * side;
        var (x, y) = (random.NextDouble(0.35, 0.65) * side, random.NextDouble(0.35, 0.65) * side);
        var (sine, cosine) = Math.SinCos(random.NextDouble(-0.4, 0.4));
        return new(shape, radius, x, y, cosine, sine);
    }

    /// <summary>Share of the object at a point: 1 inside, 0 outside, smooth over about a pixel.</summary>
    public float Coverage(double x, double y)
    {
        var (dx, dy) = ((x - X) / Radius, (y - Y) / Radius);
        var distance = Distance(dx * Cosine + dy * Sine, dy * Cosine - dx * Sine) * Radius * Sharpness;
        return distance > 30 ? 0 : distance < -30 ? 1 : (float)(1 / (1 + Math.Exp(distance)));
    }

    /// <summary>Distance from the outline in radii, negative inside; near the outline only it is exact.</summary>
    private double Distance(double u, double v)
    {
        var (across, down) = (Math.Abs(u), Math.Abs(v));
        switch (Shape)
        {
            case PictureShape.Circle:
                return Math.Sqrt(u * u + v * v) - 0.9;
            case PictureShape.Square:
                return Math.Max(across, down) - 0.78;
            case PictureShape.Triangle:
                // Three half planes whose normals are a third of a turn apart.
                var slanted = Math.Sqrt(0.75) * down - u / 2;
                return Math.Max(u, slanted) - 0.55;
            case PictureShape.Star:
                return Math.Sqrt(u * u + v * v) - 0.72 - 0.33 * Math.Cos(5 * Math.Atan2(v, u));
            case PictureShape.Cross:
                return Math.Max(Math.Max(across, down) - 1, Math.Min(across, down) - 0.33);
            default:
                return Math.Abs(Math.Sqrt(u * u + v * v) - 0.72) - 0.26;
        }
    }
}
